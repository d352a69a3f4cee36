#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace isthmus {

/// The child ended without a result: killed by a signal, aborted, or left by exit(). The text is one line:
/// what the child was doing, and an excerpt of what it wrote to stderr (or how it ended).
class IsolatedDeath : public std::runtime_error {
 public:
  IsolatedDeath(std::string doing, std::string reason, bool killed = false)
      : std::runtime_error(doing.empty() ? reason : doing + ": " + reason),
        doing_(std::move(doing)),
        reason_(std::move(reason)),
        killed_(killed) {}
  const std::string& doing() const { return doing_; }  ///< the child's last isolated_doing(), may be empty
  const std::string& reason() const { return reason_; }
  bool killed() const { return killed_; }  ///< from outside: another try may end otherwise

 private:
  std::string doing_;
  std::string reason_;
  bool killed_;
};

/// Work under way in a forked child. SimGrid allows one Engine per process, and aborts on some inputs; here
/// neither touches the caller. The child ends with this object, and with the process that made it.
class IsolatedProcess {
 public:
  explicit IsolatedProcess(const std::function<nlohmann::json()>& work);
  IsolatedProcess(IsolatedProcess&&) noexcept;
  IsolatedProcess& operator=(IsolatedProcess&&) noexcept;
  ~IsolatedProcess();

  /// Whether nothing more is to come; result() then returns at once.
  bool ended() const;
  /// Waits for the end. Returns or throws what run_isolated() does; to be called once.
  nlohmann::json result();

  /// Waits until one of them has ended, or for so many seconds, or until a signal comes.
  static void wait_for_any(std::span<IsolatedProcess* const> processes, double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Runs `work` in a forked child and returns what it returns.
///
/// What the child prints is never shown. Errors:
/// - an InputError in the child is thrown here as the same InputError;
/// - so is a StorageError, and what std::filesystem throws as one;
/// - any other std::exception as std::runtime_error with its text in plain_words();
/// - a child that dies as IsolatedDeath.
///
/// Doubles come back exactly, infinities included. The child leaves by _exit(): no destructor of a static, no
/// atexit handler runs. Call it while no other thread holds a lock that `work` needs.
nlohmann::json run_isolated(const std::function<nlohmann::json()>& work);

/// The same; none if it takes longer than so many seconds or fails.
std::optional<nlohmann::json> try_isolated(const std::function<nlohmann::json()>& work, double seconds);

/// Called inside `work`: says what is being done now, for the message should the child die of it. Cheap; does
/// nothing outside a child. Texts over 1000 characters are cut.
void isolated_doing(std::string_view what);

}  // namespace isthmus
