#pragma once

// Everything that differs between SimGrid 3.32 (Debian 12) and later versions, in one place.

#include <charconv>
#include <simgrid/s4u.hpp>
#include <string>
#include <utility>
#include <xbt/config.hpp>

// clang-format off: it needs what s4u.hpp includes
#include <simgrid/version.h>
// clang-format on

namespace isthmus::compat {

inline constexpr int simgrid_version = SIMGRID_VERSION;  ///< 33200, 40100, ...

/// "3.32", "4.1", "4.0.1".
inline std::string simgrid_version_text() {
  const std::string text =
      std::to_string(SIMGRID_VERSION / 10000) + "." + std::to_string(SIMGRID_VERSION / 100 % 100);
  return SIMGRID_VERSION % 100 == 0 ? text : text + "." + std::to_string(SIMGRID_VERSION % 100);
}

/// Whether platform files may have zones with the routing "Star".
inline constexpr bool has_star_routing = SIMGRID_VERSION >= 40100;

/// Whether a cluster with a topology (FAT_TREE, TORUS, DRAGONFLY) may be the outermost zone. 4.0 crashes at
/// it.
inline constexpr bool has_outermost_topologies = SIMGRID_VERSION < 40000 || SIMGRID_VERSION >= 40100;

/// Starts an actor that runs `body` on `host`.
template <class Body>
simgrid::s4u::ActorPtr add_actor(const std::string& name, simgrid::s4u::Host* host, Body&& body) {
#if SIMGRID_VERSION >= 40100
  return host->add_actor(name, std::forward<Body>(body));
#elif SIMGRID_VERSION >= 40000
  return simgrid::s4u::Engine::get_instance()->add_actor(name, host, std::forward<Body>(body));
#else
  return simgrid::s4u::Actor::create(name, host, std::forward<Body>(body));
#endif
}

/// Bytes per second that cross a link now.
inline double link_load(const simgrid::s4u::Link& link) {
#if SIMGRID_VERSION >= 33400
  return link.get_load();
#else
  return link.get_usage();
#endif
}

/// Waits until a communication between others ends. (On 3.32 wait() is for the two ends only: for a third
/// party it leaves a timer behind.)
inline void wait_for_end(const simgrid::s4u::CommPtr& comm) {
#if SIMGRID_VERSION >= 33500
  simgrid::s4u::ActivitySet set({comm});
  set.wait_any();
#else
  simgrid::s4u::Comm::wait_any({comm});
#endif
}

/// Waits for one's own communication, of which a third party may have waited for the end. (On 3.32 wait()
/// returns at once then, and the communication stays in a list of the actor's that every later one searches.)
inline void wait(const simgrid::s4u::CommPtr& comm) {
#if SIMGRID_VERSION < 33500
  if (comm->get_state() == simgrid::s4u::Activity::State::FINISHED) {
    simgrid::s4u::Comm::wait_any({comm});
    return;
  }
#endif
  comm->wait();
}

/// Waits until one of one's own communications has ended: its index.
inline std::size_t wait_any(const std::vector<simgrid::s4u::CommPtr>& comms) {
#if SIMGRID_VERSION >= 33500
  simgrid::s4u::ActivitySet set;
  for (const auto& comm : comms) set.push(comm);
  const auto ended = set.wait_any();
  std::size_t index = 0;
  while (comms[index] != ended) ++index;
  return index;
#else
  return static_cast<std::size_t>(simgrid::s4u::Comm::wait_any(comms));
#endif
}

/// Of a communication of which waiting for has thrown.
inline bool has_failed(const simgrid::s4u::CommPtr& comm) {
  const auto state = comm->get_state();
  return state == simgrid::s4u::Activity::State::FAILED || state == simgrid::s4u::Activity::State::CANCELED;
}

/// Calls `callback(const Host&)` whenever a host is turned on or off.
template <class Callback>
void on_host_onoff(Callback&& callback) {
#if SIMGRID_VERSION >= 33400
  simgrid::s4u::Host::on_onoff_cb(std::forward<Callback>(callback));
#else
  simgrid::s4u::Host::on_state_change_cb(std::forward<Callback>(callback));
#endif
}

/// The setting that gives the SMPI model one factor for messages of every size.
inline std::string smpi_factor_option(bool latency, const std::string& factor) {
#if SIMGRID_VERSION >= 40000
  return (latency ? "network/latency-factor:" : "network/bandwidth-factor:") + factor;
#else
  return (latency ? "smpi/lat-factor:0:" : "smpi/bw-factor:0:") + factor;
#endif
}

/// The factor on latency or bandwidth in force, as text. (config::get_value() does not check the type: asking
/// for that of another version gives garbage.)
inline std::string network_factor(bool latency, bool smpi) {
#if SIMGRID_VERSION >= 33300
  static_cast<void>(smpi);
  return simgrid::config::get_value<std::string>(latency ? "network/latency-factor"
                                                         : "network/bandwidth-factor");
#else
  if (smpi) return simgrid::config::get_value<std::string>(latency ? "smpi/lat-factor" : "smpi/bw-factor");
  char text[64];
  const double value =
      simgrid::config::get_value<double>(latency ? "network/latency-factor" : "network/bandwidth-factor");
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
#endif
}

/// AddressSanitizer does not understand SimGrid's default contexts, which switch stacks by hand.
inline constexpr bool needs_thread_contexts =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

}  // namespace isthmus::compat
