#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace isthmus {

/// The child ended without a result: killed by a signal, aborted, or left by exit(). The text is one line:
/// what the child was doing, and an excerpt of what it wrote to stderr (or how it ended).
class IsolatedDeath : public std::runtime_error {
 public:
  IsolatedDeath(std::string doing, std::string reason)
      : std::runtime_error(doing.empty() ? reason : doing + ": " + reason),
        doing_(std::move(doing)),
        reason_(std::move(reason)) {}
  const std::string& doing() const { return doing_; }  ///< the child's last isolated_doing(), may be empty
  const std::string& reason() const { return reason_; }

 private:
  std::string doing_;
  std::string reason_;
};

/// Runs `work` in a forked child and returns what it returns. SimGrid allows one Engine per process, and
/// aborts on some inputs; here neither touches the caller.
///
/// What the child prints is never shown. Errors:
/// - an InputError in the child is thrown here as the same InputError;
/// - any other std::exception as std::runtime_error with the same text;
/// - a child that dies as IsolatedDeath.
///
/// Doubles come back exactly, infinities included. The child leaves by _exit(): no destructor of a static, no
/// atexit handler runs. Call it while no other thread holds a lock that `work` needs.
nlohmann::json run_isolated(const std::function<nlohmann::json()>& work);

/// Called inside `work`: says what is being done now, for the message should the child die of it. Cheap; does
/// nothing outside a child. Texts over 1000 characters are cut.
void isolated_doing(std::string_view what);

}  // namespace isthmus
