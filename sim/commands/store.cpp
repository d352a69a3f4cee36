#include <chrono>
#include <iostream>

#include "analysis/format.hpp"
#include "analysis/text.hpp"
#include "analysis/text_table.hpp"
#include "models/error.hpp"
#include "sim/commands/options.hpp"
#include "sim/commands/scenario_source.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/units.hpp"
#include "sim/study/store_contents.hpp"

namespace isthmus {
namespace {

namespace po = boost::program_options;
using nlohmann::json;

constexpr int some_damaged = 1;

double days_since(std::filesystem::file_time_type time) {
  using Days = std::chrono::duration<double, std::ratio<86400>>;
  return std::chrono::duration_cast<Days>(std::filesystem::file_time_type::clock::now() - time).count();
}

std::string age_text(double days) {
  if (days < 1.0 / 24) return "within the hour";
  if (days < 2) return counted(static_cast<std::size_t>(days * 24), "hour") + " ago";
  return counted(static_cast<std::size_t>(days), "day") + " ago";
}

/// "ist, mlp, fashion_mnist, 8 workers, seed 1"
std::string training_text(const json& basis) {
  const auto member = [&](const char* part, const char* name) {
    const json value = basis.value(part, json::object()).value(name, json());
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  return member("protocol", "kind") + ", " + member("model", "kind") + ", " + member("data", "set") + ", " +
         counted(basis.value("workers", std::size_t{0}), "worker") + ", seed " + member("training", "seed");
}

std::string state_text(const std::optional<TrajectoryFacts>& facts) {
  if (!facts) return "damaged";
  if (!facts->of_this_build) return "of another build";
  return facts->complete ? "complete" : "unfinished";
}

/// What `store list` and `store check` print; whether all files are sound.
bool print_contents(const TrajectoryStore& store, bool damaged_only) {
  std::vector<TextRow> rows = {{"training", "state", "rounds", "size", "used"}};
  std::uint64_t bytes = 0, useless_bytes = 0;
  std::size_t damaged = 0;
  const std::vector<StoredTrajectory> stored = stored_trajectories(store);
  for (const StoredTrajectory& trajectory : stored) {
    const auto facts = facts_of(store, trajectory.name);
    bytes += trajectory.bytes;
    if (!facts || !facts->of_this_build) useless_bytes += trajectory.bytes;
    if (!facts) ++damaged;
    if (damaged_only && facts) continue;
    rows.push_back({facts ? training_text(facts->basis) : trajectory.name, state_text(facts),
                    facts ? std::to_string(facts->rounds) : "",
                    format_bytes(static_cast<double>(trajectory.bytes)),
                    age_text(days_since(trajectory.used))});
  }
  if (rows.size() > 1) print_table(rows, std::cout, 2, 0);
  std::cout << store.folder().string() << ": " << counted(stored.size(), "training") << ", "
            << format_bytes(static_cast<double>(bytes)) << " of "
            << format_bytes(static_cast<double>(limit_bytes(store)));
  if (useless_bytes > 0)
    std::cout << ", " << format_bytes(static_cast<double>(useless_bytes))
              << " of no use to this build (isthmus store prune removes them)";
  std::cout << '\n';
  if (damaged > 0) std::cout << damaged << " damaged: what they hold will be trained again\n";
  return damaged == 0;
}

/// Removes what is of no use to this build and, if asked to, what was not used for long.
void prune(const TrajectoryStore& store, const CommandLine& line) {
  const bool by_age = line.values().count("unused-days") > 0;
  const double days = by_age ? line.values()["unused-days"].as<double>() : 0;
  if (by_age && !(days >= 0)) throw InputError("--unused-days", "expected a number of at least 0");
  std::size_t removed = 0, at_work = 0;
  std::uint64_t bytes = 0;
  for (const StoredTrajectory& trajectory : stored_trajectories(store)) {
    const auto facts = facts_of(store, trajectory.name);
    const bool useful = facts && facts->of_this_build;
    if (useful && !(by_age && days_since(trajectory.used) >= days)) continue;
    if (remove_trajectory(store, trajectory.name)) {
      ++removed;
      bytes += trajectory.bytes;
    } else {
      ++at_work;
    }
  }
  std::cout << "Removed " << counted(removed, "training") << ", " << format_bytes(static_cast<double>(bytes))
            << '\n';
  if (at_work > 0) std::cout << at_work << " left alone, which somebody is training\n";
}

}  // namespace

int store_command(const Arguments& arguments) {
  CommandLine line(
      "store [list|check|prune|limit]", "ACTION",
      "Shows and tends the store of trajectories: what runs have trained, which other runs replay.\n\n"
      "  list    what there is, the last used first (the usual one)\n"
      "  check   reads all of it, and lists what is damaged; exit code 1 if something is\n"
      "  prune   removes what is damaged or was trained by another build or instruction set, which this\n"
      "          program never uses, and what was not used for --unused-days\n"
      "  limit   sets how large it may become (--size); after each study what was not used for longest is\n"
      "          removed. 20 GB unless it is set\n\n"
      "Example:\n"
      "  isthmus store prune --unused-days 30\n");
  line.options().add_options()("unused-days", po::value<double>()->value_name("DAYS"),
                               "with prune: also what was not used for so long")(
      "size", po::value<std::string>()->value_name("SIZE"), "with limit: such as 5GB or 500MB");
  add_trajectories_option(line);
  line.set_optional();
  if (!line.parse(arguments)) return 0;
  const TrajectoryStore store = store_of(line);
  const std::string action = line.has_argument() ? line.argument() : "list";
  const auto require_action = [&](const char* option, const char* its_action) {
    if (line.values().count(option) > 0 && action != its_action)
      throw InputError(std::string("--") + option, std::string("only with \"") + its_action + "\"");
  };
  require_action("unused-days", "prune");
  require_action("size", "limit");
  if (action == "list" || action == "check") {
    const bool sound = print_contents(store, action == "check");
    return sound || action == "list" ? 0 : some_damaged;
  }
  if (action == "prune") {
    prune(store, line);
    return 0;
  }
  if (action != "limit")
    throw InputError("found \"" + action + "\"; " +
                     did_you_mean(action, {"list", "check", "prune", "limit"}) +
                     "allowed: list, check, prune, limit");
  if (line.values().count("size") == 0) throw InputError("--size", "missing; expected a size such as 5GB");
  set_limit(store, parse_bytes(line.values()["size"].as<std::string>(), "--size"));
  if (const std::size_t removed = shrink(store, limit_bytes(store)); removed > 0)
    std::cout << "Removed " << counted(removed, "training") << '\n';
  print_contents(store, true);
  return 0;
}

}  // namespace isthmus
