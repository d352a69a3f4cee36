// isthmus store: what it lists is what is there, what it removes is what it says, and what is in use stays.

#include <boost/interprocess/sync/file_lock.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <set>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace store_test {
namespace {

/// A store with the trajectories of the small study.
struct Filled {
  Filled() {
    write_text(folder / "scenario.json", small_study("stored").dump());
    const ProgramResult run = run_program(
        {"run", folder / "scenario.json", "--out", folder / "study", "--trajectories", folder / "store"});
    REQUIRE(run.exit_code == 0);
  }

  std::set<fs::path> stored() const {
    std::set<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "store")) {
      if (entry.path().filename() == "trajectory.cbor") found.insert(entry.path());
    }
    return found;
  }

  ProgramResult store(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "store");
    arguments.insert(arguments.end(), {"--trajectories", (folder / "store").string()});
    return run_program(arguments);
  }

  TemporaryFolder folder;
};

std::uint64_t bytes_of(const std::set<fs::path>& files) {
  std::uint64_t bytes = 0;
  for (const fs::path& file : files) bytes += fs::file_size(file);
  return bytes;
}

}  // namespace

TEST_CASE("store: lists, checks and prunes what there is") {
  const Filled filled;
  const auto before = filled.stored();
  const std::string count = std::to_string(before.size()) + " trainings";
  REQUIRE(before.size() >= 3);
  const ProgramResult list = filled.store({});
  CHECK(list.exit_code == 0);
  CHECK_THAT(list.out, Contains(count) && Contains("of 20 GB") &&
                           Contains("ist, mlp, synthetic, 3 workers, seed 1") && Contains("complete") &&
                           Contains("within the hour") && !Contains("of no use"));
  CHECK(filled.store({"list"}).out == list.out);
  const ProgramResult sound = filled.store({"check"});
  CHECK(sound.exit_code == 0);
  CHECK_THAT(sound.out, Contains(count) && !Contains("damaged"));
  CHECK_THAT(filled.store({"prune"}).out, Contains("Removed 0 trainings"));
  CHECK(filled.stored() == before);

  // One is damaged, one of another build.
  const fs::path damaged = *before.begin(), other = *before.rbegin();
  write_text(damaged, read_text(damaged) + "x");
  const ProgramResult check = filled.store({"check"});
  CHECK(check.exit_code == 1);
  CHECK_THAT(check.out, Contains(damaged.parent_path().filename().string()) && Contains("1 damaged") &&
                            Contains("of no use to this build"));
  // Somebody trains it: it stays.
  {
    boost::interprocess::file_lock lock((damaged.parent_path() / "lock").c_str());
    lock.lock();
    CHECK_THAT(filled.store({"prune"}).out, Contains("Removed 0 trainings") && Contains("1 left alone"));
  }
  CHECK_THAT(filled.store({"prune"}).out, Contains("Removed 1 training,"));
  auto left = before;
  left.erase(damaged);
  CHECK(filled.stored() == left);
  CHECK_FALSE(fs::exists(damaged.parent_path()));

  // What was not used for long.
  fs::last_write_time(other, fs::file_time_type::clock::now() - std::chrono::hours(24 * 40));
  CHECK_THAT(filled.store({}).out, Contains("40 days ago"));
  CHECK_THAT(filled.store({"prune", "--unused-days", "30"}).out, Contains("Removed 1 training,"));
  left.erase(other);
  CHECK(filled.stored() == left);
  CHECK_THAT(filled.store({"prune", "--unused-days", "0"}).out,
             Contains("Removed " + std::to_string(left.size()) + " training"));
  CHECK(filled.stored().empty());
  CHECK_THAT(filled.store({}).out, Contains("0 trainings"));
}

TEST_CASE("store: a limit removes what was not used for longest, after each study, too") {
  const Filled filled;
  const auto before = filled.stored();
  const fs::path oldest = *std::next(before.begin());
  fs::last_write_time(oldest, fs::file_time_type::clock::now() - std::chrono::hours(5));
  const std::uint64_t bytes = bytes_of(before);
  const ProgramResult limit = filled.store({"limit", "--size", std::to_string(bytes - 1) + "B"});
  CHECK(limit.exit_code == 0);
  CHECK_THAT(limit.out, Contains("Removed 1 training"));
  auto left = before;
  left.erase(oldest);
  CHECK(filled.stored() == left);
  // The same study replays what is there, and trains again what is not; then there is one too many.
  const ProgramResult again =
      run_program({"run", filled.folder / "scenario.json", "--out", filled.folder / "again", "--trajectories",
                   filled.folder / "store"});
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.out, Contains("1 run trained"));
  CHECK(filled.stored().size() == before.size() - 1);
  CHECK(bytes_of(filled.stored()) < bytes);
  CHECK_THAT(filled.store({}).out, Contains("of " + std::to_string(bytes / 1000)));
}

TEST_CASE("store: what makes no sense is refused") {
  const TemporaryFolder folder;
  const auto refused = [&](std::vector<std::string> arguments, const char* words) {
    arguments.insert(arguments.begin(), "store");
    arguments.insert(arguments.end(), {"--trajectories", (folder / "store").string()});
    const ProgramResult result = run_program(arguments);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, Contains(words));
    CHECK_FALSE(fs::exists(folder / "store"));
  };
  refused({"prun"}, "did you mean \"prune\"");
  refused({"list", "--unused-days", "3"}, "only with \"prune\"");
  refused({"prune", "--size", "3GB"}, "only with \"limit\"");
  refused({"prune", "--unused-days", "-1"}, "at least 0");
  refused({"prune", "--unused-days", "nan"}, "at least 0");
  refused({"limit"}, "--size");
  refused({"limit", "--size", "3"}, "--size");
  const ProgramResult none = run_program({"store", "--trajectories", folder / "nowhere"});
  CHECK(none.exit_code == 0);
  CHECK_THAT(none.out, Contains("0 trainings"));
}

}  // namespace store_test
