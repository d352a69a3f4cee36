#pragma once

// Helpers of the tests that simulate: each simulation in a child of its own.

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/error.hpp"
#include "sim/process/isolated.hpp"
#include "sim/simgrid/compat.hpp"
#include "sim/simgrid/loaded_platform.hpp"

namespace isthmus::testing {

inline std::filesystem::path source_file(const std::string& relative) {
  return std::filesystem::path(ISTHMUS_SOURCE_DIR) / relative;
}

inline std::vector<RankPair> all_pairs(int workers) {
  std::vector<RankPair> pairs;
  for (int from = 0; from < workers; ++from) {
    for (int to = 0; to < workers; ++to) {
      if (from != to) pairs.emplace_back(from, to);
    }
  }
  return pairs;
}

inline PlatformOptions shipped(const std::string& name, int workers = 0) {
  PlatformOptions options;
  options.file = source_file("platforms/" + name);
  options.workers = workers;
  return options;
}

/// A platform file that lives as long as this object.
class TemporaryPlatform {
 public:
  explicit TemporaryPlatform(const std::string& body)
      : path_(std::filesystem::temp_directory_path() /
              ("isthmus-" + std::to_string(::getpid()) + "-" + std::to_string(++count()) + ".xml")) {
    std::ofstream(path_) << "<?xml version='1.0'?>\n"
                            "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
                            "<platform version=\"4.1\">\n"
                         << body << "\n</platform>\n";
  }
  TemporaryPlatform(const TemporaryPlatform&) = delete;
  TemporaryPlatform& operator=(const TemporaryPlatform&) = delete;
  ~TemporaryPlatform() { std::filesystem::remove(path_); }
  PlatformOptions options(int workers = 0) const {
    PlatformOptions options;
    options.file = path_;
    options.workers = workers;
    return options;
  }

 private:
  static int& count() {
    static int files = 0;
    return files;
  }
  std::filesystem::path path_;
};

/// Loads a platform in a child, with every pair of workers talking unless `pairs` are given; returns what
/// `use` does.
inline nlohmann::json with_platform(const PlatformOptions& options, const NetworkOptions& network,
                                    const std::function<nlohmann::json(LoadedPlatform&)>& use) {
  return run_isolated([&] {
    const int workers = options.hosts.empty() ? options.workers : static_cast<int>(options.hosts.size());
    LoadedPlatform platform(options, network, all_pairs(workers));
    return use(platform);
  });
}

/// The message of the InputError that `work` ends with; the test fails if it does not.
template <class Work>
std::string input_error_of(Work&& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  FAIL("no InputError");
  return "";
}

struct TimedTransfer {
  int from = 0, to = 0;
  double bytes = 0;
  double start = 0;  ///< seconds
};

/// When each transfer ends, all in one simulation.
inline std::vector<double> end_times(LoadedPlatform& platform, const std::vector<TimedTransfer>& transfers) {
  namespace s4u = simgrid::s4u;
  std::vector<double> ends(transfers.size(), -1);
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    const TimedTransfer transfer = transfers[i];
    compat::add_actor("transfer", platform.host(transfer.from), [&platform, &ends, transfer, i] {
      if (transfer.start > 0) s4u::this_actor::sleep_for(transfer.start);
      s4u::Comm::sendto(platform.host(transfer.from), platform.host(transfer.to),
                        static_cast<std::uint64_t>(transfer.bytes));
      ends[i] = s4u::Engine::get_clock();
    });
  }
  platform.engine().run();
  return ends;
}

}  // namespace isthmus::testing
