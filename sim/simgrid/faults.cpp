#include "sim/simgrid/faults.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <simgrid/kernel/Timer.hpp>

#include "models/error.hpp"
#include "models/random.hpp"
#include "sim/platform/names.hpp"
#include "sim/simgrid/loaded_platform.hpp"

namespace isthmus {
namespace {

namespace s4u = simgrid::s4u;
using simgrid::kernel::timer::Timer;

bool matches(const std::string& pattern, const std::vector<std::string>& names) {
  return std::ranges::any_of(
      names, [&](const std::string& name) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; });
}

}  // namespace

class Faults::Schedule {
 public:
  Schedule(Faults& faults, const Fault& fault, Random random)
      : faults_(faults), fault_(fault), random_(std::move(random)) {}

  void add(s4u::Host* host) { hosts_.push_back(host); }
  void add(s4u::Link* link) { links_.push_back(link); }

  void start() {
    if (fault_.at_seconds == 0.0) return go_off();
    go_off_at(fault_.at_seconds ? *fault_.at_seconds : draw(*fault_.mean_seconds_between));
  }
  void stop() {
    if (next_) next_->remove();
    next_ = nullptr;
  }

 private:
  double draw(double mean) { return boost::random::exponential_distribution<double>(1 / mean)(random_); }

  void go_off_at(double seconds) {
    next_ = Timer::set(seconds, [this] { go_off(); });
  }
  void go_off() {
    next_ = nullptr;
    const bool for_good = !fault_.for_seconds && !fault_.mean_seconds_to_repair;
    if (for_good) faults_.gone_.insert(hosts_.begin(), hosts_.end());
    for (s4u::Host* host : hosts_) {
      if (faults_.hosts_off_[host]++ == 0) host->turn_off();
    }
    for (s4u::Link* link : links_) {
      if (faults_.links_off_[link]++ == 0) link->turn_off();
    }
    const double now = s4u::Engine::get_clock();
    if (fault_.for_seconds) come_back_at(now + *fault_.for_seconds);
    if (fault_.mean_seconds_to_repair) come_back_at(now + draw(*fault_.mean_seconds_to_repair));
  }
  void come_back_at(double seconds) {
    next_ = Timer::set(seconds, [this] { come_back(); });
  }
  void come_back() {
    next_ = nullptr;
    for (s4u::Link* link : links_) {
      if (--faults_.links_off_[link] == 0) link->turn_on();
    }
    for (s4u::Host* host : hosts_) {
      if (--faults_.hosts_off_[host] == 0) host->turn_on();
    }
    if (fault_.mean_seconds_between) go_off_at(s4u::Engine::get_clock() + draw(*fault_.mean_seconds_between));
  }

  Faults& faults_;
  Fault fault_;
  Random random_;
  std::vector<s4u::Host*> hosts_;
  std::vector<s4u::Link*> links_;
  Timer* next_ = nullptr;  // SimGrid's
};

Faults::Faults(const PlatformOptions& platform, const s4u::Engine& engine) {
  for (std::size_t index = 0; index < platform.faults.size(); ++index) {
    const Fault& fault = platform.faults[index];
    std::map<std::string, Schedule*> by_name;
    const auto schedule_of = [&](const std::string& name) -> Schedule& {
      Schedule*& found = by_name[name];
      if (!found) {
        Random random = random_stream(platform.fault_seed, "fault of " + name, index);
        found = schedules_.emplace_back(std::make_unique<Schedule>(*this, fault, std::move(random))).get();
      }
      return *found;
    };
    std::vector<std::string> names;
    if (fault.of == Fault::Of::link) {
      for (s4u::Link* link : engine.get_all_links()) {
        const std::vector<std::string> declared = declared_names(link->get_name());
        names.insert(names.end(), declared.begin(), declared.end());
        if (matches(fault.name, declared))
          schedule_of(declared.back()).add(link);  // both directions together
      }
    } else {
      for (s4u::Host* host : hosts_in_order(engine)) {
        const bool by_site = fault.of == Fault::Of::site;
        names.push_back(by_site ? host->get_englobing_zone()->get_name() : host->get_name());
        if (matches(fault.name, {names.back()})) schedule_of(names.back()).add(host);
      }
    }
    if (!by_name.empty()) continue;
    const char* key = fault.of == Fault::Of::link ? "link" : fault.of == Fault::Of::site ? "site" : "host";
    throw InputError("/platform/faults/" + std::to_string(index) + "/" + key,
                     "found \"" + fault.name + "\", which matches nothing in " + platform.file.string() +
                         "; nearest: " + nearest_names(fault.name, names));
  }
}

Faults::~Faults() = default;

void Faults::start() {
  for (const auto& schedule : schedules_) schedule->start();
}

void Faults::stop() {
  for (const auto& schedule : schedules_) schedule->stop();
}

}  // namespace isthmus
