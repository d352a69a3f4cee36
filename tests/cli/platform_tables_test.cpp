// `isthmus platform --from`: platforms from tables; and those that are shipped are what their tables make.

#include <catch2/catch.hpp>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains, Catch::Matchers::StartsWith;
using nlohmann::json;

namespace platform_tables_test {
namespace {

struct Made {
  ProgramResult result;
  std::string xml;
};

Made make(const TemporaryFolder& folder, const std::vector<std::string>& tables,
          const std::vector<std::string>& options = {}) {
  std::vector<std::string> line = {"platform", "--out", folder / "made.xml"};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const fs::path file = folder / ("table-" + std::to_string(i) + ".csv");
    write_text(file, tables[i]);
    line.insert(line.end(), {"--from", file});
  }
  line.insert(line.end(), options.begin(), options.end());
  fs::remove(folder / "made.xml");
  Made made{run_program(line), ""};
  if (fs::exists(folder / "made.xml")) made.xml = read_text(folder / "made.xml");
  return made;
}

}  // namespace

TEST_CASE("the shipped platforms and profiles are what generate.sh makes of their tables") {
  const TemporaryFolder folder;
  const std::string command = source_path("platforms/generate.sh").string() + " " +
                              std::string(ISTHMUS_PROGRAM) + " " + folder.path().string();
  REQUIRE(std::system(command.c_str()) == 0);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    const fs::path name = fs::relative(entry.path(), folder.path());
    INFO(name.string());
    REQUIRE(fs::exists(source_path("platforms") / name));
    CHECK(read_text(entry.path()) == read_text(source_path("platforms") / name));
    ++files;
  }
  CHECK(files == 10 + 8);
}

TEST_CASE("a platform that cannot be written says why, and is no bad input") {
  const TemporaryFolder folder;
  write_text(folder / "pairs.csv", "from,to,latency,bandwidth\na,b,10ms,100Mbps\n");
  const ProgramResult result =
      run_program({"platform", "--from", folder / "pairs.csv", "--out", folder / "no/made.xml"});
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.err, Contains("no/made.xml: No such file or directory"));
}

TEST_CASE("tables without comments make a platform without one") {
  const TemporaryFolder folder;
  const Made made = make(folder, {"from,to,latency,bandwidth\na,b,10ms,100Mbps\n"});
  REQUIRE(made.result.exit_code == 0);
  CHECK_THAT(made.xml, !Contains("<!--"));
}

TEST_CASE("a platform from a table of pairs") {
  const TemporaryFolder folder;
  const Made made = make(folder,
                         {"\xEF\xBB\xBF# measured by me\n#  -- yesterday\nfrom,to,latency,bandwidth\n"
                          "a,b,10ms,100Mbps\nb,a,20ms,50Mbps\na,c,30ms,1Gbps\n\nb, c ,0s,2Gbps\n"},
                         {"--speed", "3Gf", "--memory", "8GiB"});
  INFO(made.result.err);
  REQUIRE(made.result.exit_code == 0);
  CHECK_THAT(made.xml, Contains("measured by me") && Contains("- - yesterday"));
  CHECK_THAT(made.result.out,
             Contains("Hosts: 3") && Contains("3 Gf") && Contains("8 GiB") && Contains("natural order"));
  // Latency and bandwidth from each to each, as SimGrid has them.
  const auto rows_of = [&](const std::string& title) {
    std::istringstream text(made.result.out.substr(made.result.out.find(title)));
    std::vector<std::string> rows(5);
    for (std::string& row : rows) std::getline(text, row);
    return rows;
  };
  const auto latency = rows_of("Latency between hosts"), bandwidth = rows_of("Bandwidth between hosts");
  CHECK_THAT(latency[2], Contains("10 ms") && Contains("30 ms"));
  CHECK_THAT(latency[3], Contains("20 ms") && Contains("0 s"));
  CHECK_THAT(latency[4], Contains("30 ms") && Contains("0 s"));
  CHECK_THAT(bandwidth[2], Contains("100 Mbps") && Contains("1 Gbps"));
  CHECK_THAT(bandwidth[3], Contains("50 Mbps") && Contains("2 Gbps"));
}

TEST_CASE("sites with access lines, alone and with ways between them") {
  const TemporaryFolder folder;
  const std::string sites =
      "name,count,speed,memory,up,down,latency\nx,2,1Gf,1GiB,10Mbps,100Mbps,1ms\ny,3,,,1Gbps,1Gbps,2ms\n"
      "x,1,2Gf,2GiB,20Mbps,20Mbps,1ms\n";
  const Made star = make(folder, {sites}, {"--speed", "5Gf"});
  INFO(star.result.err);
  REQUIRE(star.result.exit_code == 0);
  CHECK_THAT(star.result.out, Contains("Hosts: 6") && Contains("5 Gf") && Contains("unlimited"));
  CHECK_THAT(star.result.out,
             Contains("2 ms") && Contains("3 ms") && Contains("4 ms") && Contains("20 Mbps"));

  const Made world = make(folder, {sites, "from,to,round_trip,bandwidth,sharing\nx,y,50ms,400Mbps,fatpipe\n"},
                          {"--speed", "5Gf"});
  INFO(world.result.err);
  REQUIRE(world.result.exit_code == 0);
  CHECK_THAT(world.xml, Contains("FATPIPE") && Contains("latency=\"22ms\""));  // 25 - 1 - 2
  CHECK_THAT(world.result.out, Contains("25 ms") && Contains("Hosts: 6"));
}

TEST_CASE("tables that make no platform are refused in one line, and nothing is written") {
  const TemporaryFolder folder;
  const std::string sites = "name,count,up,down,latency\nx,2,1Mbps,1Mbps,1ms\ny,2,1Mbps,1Mbps,1ms\n";
  const auto refused = [&](const std::vector<std::string>& tables, const std::string& place,
                           const std::string& what) {
    CAPTURE(tables);
    const Made made = make(folder, tables);
    CHECK(made.result.exit_code == 2);
    CHECK_THAT(made.result.err, Contains(place) && Contains(what));
    CHECK(std::count(made.result.err.begin(), made.result.err.end(), '\n') == 1);
    CHECK(made.xml.empty());
  };
  const std::string ways = "from,to,latency,bandwidth\n";
  refused({""}, "table-0.csv", "empty");
  refused({ways}, "table-0.csv", "has no rows");
  refused({"a,b\n1,2\n"}, "table-0.csv:1", "neither a table of sites");
  refused({"from,to,bandwidth\na,b,1Mbps\n"}, "table-0.csv:1", "either latency or round_trip");
  refused({ways + "a,b,1ms\n"}, "table-0.csv:2", "has 3 cells");
  refused({ways + "a,b,1,1Mbps\n"}, "table-0.csv:2", "1ms");
  refused({ways + "a,b,1ms,fast\n"}, "table-0.csv:2", "fast");
  refused({ways + "a,<b>,1ms,1Mbps\n"}, "table-0.csv:2", "allowed: letters, digits");
  refused({ways + "a,a,1ms,1Mbps\n"}, "table-0.csv:2", "two sites");
  refused({ways + "a,b,1ms,1Mbps\na,b,2ms,1Mbps\n"}, "table-0.csv:3", "a second row from a to b");
  refused({ways + "a,b,1ms,1Mbps\na,c,2ms,1Mbps\n"}, "table-0.csv", "no row for b and c");
  refused({ways + "*,*,1ms,1Mbps\n"}, "table-0.csv:2", "needs a table of sites");
  refused({sites, ways + "x,z,9ms,1Mbps\n"}, "table-1.csv:2", "no site \"z\"");
  refused({sites, ways + "x,y,1ms,1Mbps\n"}, "table-1.csv:2", "less than that of their access lines");
  refused({"name,count\nx,2\n"}, "table-0.csv:2", "no access line");
  refused({"name,count\nx,0\n"}, "table-0.csv:2", "\"count\"");
  refused({"name,count\nx,999999999999\n"}, "table-0.csv:2", "\"count\"");
  refused({"name,speed\nx,fast\n"}, "table-0.csv:2", "fast");
  refused({"name,count,up,down,latency\nx,99999,1Mbps,1Mbps,0s\ny,99999,1Mbps,1Mbps,0s\n"}, "table-0.csv",
          "up to 100000 devices");
  CHECK(run_program({"platform", "--from", folder / "none.csv", "--out", folder / "x.xml"}).exit_code == 2);
  CHECK_THAT(run_program({"platform", "--from", folder / "none.csv"}).err, Contains("--out"));
}

TEST_CASE("platform and check show what profiles change, and by how much") {
  const ProgramResult shown = run_program({"platform", source_path("platforms/starlink.xml")});
  REQUIRE(shown.exit_code == 0);
  CHECK_THAT(shown.out,
             Contains("Profiles: 8") && Contains("profiles/starlink-3-down.txt") && Contains("30 ms"));
  const TemporaryFolder folder;
  write_text(folder / "speed.txt", "0 1\n10 0.25\n");
  write_text(folder / "bandwidth.txt", "0 1000000\n5 250000\nPERIODICITY 10\n");
  write_text(folder / "p.xml",
             "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
             "<platform version=\"4.1\"><zone id=\"z\" routing=\"Full\">\n"
             "<host id=\"a\" speed=\"1Gf\" speed_file=\"speed.txt\"/><host id=\"b\" speed=\"1Gf\"/>\n"
             "<link id=\"l\" bandwidth=\"1MBps\" latency=\"1ms\" sharing_policy=\"SPLITDUPLEX\" "
             "bandwidth_file=\"bandwidth.txt\"/>\n"
             "<route src=\"a\" dst=\"b\"><link_ctn id=\"l\" direction=\"UP\"/></route></zone></platform>\n");
  CHECK_THAT(run_program({"platform", folder / "p.xml"}).out,
             Contains("Profiles: 2") && Contains("part of its speed") && Contains("0.25") &&
                 Contains("2 Mbps") && Contains("8 Mbps"));
  json scenario = small_study("profiles");
  scenario.erase("sweep");
  scenario["protocol"] = {{"kind", "data_parallel"}};
  scenario["platform"] = {{"file", "p.xml"}, {"workers", 2}};
  write_text(folder / "s.json", scenario.dump());
  const ProgramResult checked = run_program({"check", folder / "s.json", "--trajectories", folder / "store"});
  INFO(checked.err);
  CHECK_THAT(checked.out, Contains("bandwidth 2 Mbps to 8 Mbps, changing during the run: l;") &&
                              Contains("part of its speed 0.25 to 1, changing during the run: a;"));
  CHECK_THAT(checked.out,
             Contains("workers take hosts in natural order") && Contains("s.json: no errors in 1 run\n"));
  scenario["platform"]["hosts"] = {"b"};
  scenario["platform"].erase("workers");
  write_text(folder / "s.json", scenario.dump());
  const ProgramResult alone = run_program({"check", folder / "s.json", "--trajectories", folder / "store"});
  CHECK_THAT(alone.out, !Contains("profiles") && !Contains("natural order"));
}

}  // namespace platform_tables_test
