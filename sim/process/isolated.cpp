#include "sim/process/isolated.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <regex>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "models/error.hpp"
#include "sim/process/plain_words.hpp"

namespace isthmus {
namespace {

constexpr std::size_t note_capacity = 1001;      // with the terminating 0
constexpr std::size_t kept_stderr = 256 * 1024;  // of what a child writes, the end is kept
constexpr std::size_t longest_excerpt = 400;

char* child_note = nullptr;  // shared with the parent; set in children only

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Pipe {
  Descriptor reader, writer;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe");
    reader = Descriptor(ends[0]);
    writer = Descriptor(ends[1]);
  }
};

/// A page that parent and child share.
class SharedNote {
 public:
  SharedNote() {
    void* page = ::mmap(nullptr, note_capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw_errno("mmap");
    text_ = static_cast<char*>(page);
  }
  SharedNote(const SharedNote&) = delete;
  SharedNote& operator=(const SharedNote&) = delete;
  ~SharedNote() { ::munmap(text_, note_capacity); }
  char* text() const { return text_; }
  std::string read() const { return {text_, ::strnlen(text_, note_capacity)}; }

 private:
  char* text_;
};

void write_all(int fd, const std::vector<std::uint8_t>& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;  // the parent is gone: nobody to tell
    done += static_cast<std::size_t>(count);
  }
}

/// What the child does from fork to _exit.
[[noreturn]] void be_child(const std::function<nlohmann::json()>& work, const Pipe& result,
                           const Pipe& errors, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no orphan goes on computing when the parent is killed
  if (::getppid() != parent) ::_exit(1);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(errors.writer.get(), STDERR_FILENO);
  nlohmann::json answer;
  try {
    answer = {{"result", work()}};
  } catch (const InputError& error) {
    answer = {{"input_error", {error.place(), error.text()}}};
  } catch (const StorageError& error) {
    answer = {{"storage_error", error.what()}};
  } catch (const std::filesystem::filesystem_error& error) {
    answer = {{"storage_error", plain_words(error)}};
  } catch (const std::exception& error) {
    answer = {{"error", plain_words(error)}};
  }
  write_all(result.writer.get(), nlohmann::json::to_cbor(answer));
  ::_exit(0);
}

/// "[0.000000] ./src/x.cpp:84: [root/CRITICAL] text" becomes "text".
std::string without_log_prefix(const std::string& line) {
  static const std::regex prefix(R"(^.*?\[[\w.]+/(CRITICAL|ERROR|WARNING|INFO|VERBOSE|DEBUG)\]\s*)");
  static const std::regex address(R"( ?\(?0x[0-9a-f]{6,}\)?)");  // differ from run to run
  return std::regex_replace(std::regex_replace(line, prefix, "", std::regex_constants::format_first_only),
                            address, "");
}

/// The one line of a dead child's stderr that says most.
std::string excerpt(const std::string& text) {
  std::istringstream lines(text);
  std::string critical, uncaught, sanitizer, last;
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::remove_if(line.begin(), line.end(), [](unsigned char c) { return c < ' '; }), line.end());
    if (line.size() > 4096) line.resize(4096);  // the regex below recurses
    const auto begin = line.find_first_not_of(' ');
    if (begin == std::string::npos || line.find("Backtrace (displayed") == 0 ||
        line.find("->", begin) == begin)
      continue;
    if (critical.empty() && line.find("/CRITICAL]") != std::string::npos) critical = without_log_prefix(line);
    if (uncaught.empty() && line.find("what():") == begin) uncaught = line.substr(begin + 8);
    if (sanitizer.empty() && line.find("Sanitizer:") != std::string::npos) sanitizer = line.substr(begin);
    last = without_log_prefix(line.substr(begin));
  }
  for (std::string* candidate : {&critical, &sanitizer, &uncaught, &last}) {
    if (candidate->empty()) continue;
    if (candidate->size() > longest_excerpt) *candidate = candidate->substr(0, longest_excerpt) + "...";
    return *candidate;
  }
  return "";
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw_errno("waitpid");
  }
  return status;
}

std::string describe_end(int status, const std::string& stderr_text) {
  std::string how = WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
                                              ::strsignal(WTERMSIG(status)) + ")"
                                        : "ended with exit code " + std::to_string(WEXITSTATUS(status));
  const std::string said = excerpt(stderr_text);
  if (said.empty() || said == "Segmentation fault.") return how;
  // SimGrid says why it aborts; the signal adds nothing to that.
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) return said;
  return said + " (" + how + ")";
}

}  // namespace

void isolated_doing(std::string_view what) {
  if (child_note == nullptr) return;
  const std::size_t count = std::min(what.size(), note_capacity - 1);
  std::memcpy(child_note, what.data(), count);
  child_note[count] = '\0';
}

struct IsolatedProcess::State {
  struct Stream {
    Descriptor* reader;
    std::string text;
  };

  explicit State(const std::function<nlohmann::json()>& work) {
    std::cout.flush();
    std::fflush(nullptr);  // or the child would hold a copy of what is still buffered
    const pid_t parent = ::getpid();
    child = ::fork();
    if (child < 0) throw_errno("fork");
    if (child == 0) {
      child_note = note.text();
      be_child(work, answer_pipe, error_pipe, parent);
    }
    answer_pipe.writer.close();
    error_pipe.writer.close();
  }

  ~State() {
    if (child <= 0) return;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }

  bool ended() const { return answer.reader->get() < 0 && errors.reader->get() < 0; }

  /// Takes what has come, so that the child never blocks on a full pipe.
  void read(Stream& stream) {
    std::array<char, 64 * 1024> buffer;
    const ssize_t count = ::read(stream.reader->get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) return;
    if (count <= 0) return stream.reader->close();
    stream.text.append(buffer.data(), static_cast<std::size_t>(count));
    if (&stream == &errors && errors.text.size() > 2 * kept_stderr) {
      errors.text.erase(0, errors.text.size() - kept_stderr);
    }
  }

  Pipe answer_pipe, error_pipe;
  SharedNote note;
  pid_t child = -1;
  Stream answer{&answer_pipe.reader, {}}, errors{&error_pipe.reader, {}};
};

IsolatedProcess::IsolatedProcess(const std::function<nlohmann::json()>& work)
    : state_(std::make_unique<State>(work)) {}
IsolatedProcess::IsolatedProcess(IsolatedProcess&&) noexcept = default;
IsolatedProcess& IsolatedProcess::operator=(IsolatedProcess&&) noexcept = default;
IsolatedProcess::~IsolatedProcess() = default;

bool IsolatedProcess::ended() const { return state_->ended(); }

void IsolatedProcess::wait_for_any(std::span<IsolatedProcess* const> processes, double seconds) {
  std::vector<pollfd> polled;
  std::vector<std::pair<State*, State::Stream*>> streams;
  for (IsolatedProcess* process : processes) {
    if (process->ended()) return;
    for (State::Stream* stream : {&process->state_->answer, &process->state_->errors}) {
      if (stream->reader->get() < 0) continue;
      polled.push_back({stream->reader->get(), POLLIN, 0});
      streams.emplace_back(process->state_.get(), stream);
    }
  }
  const int milliseconds = seconds < 0 ? -1 : static_cast<int>(seconds * 1000);
  if (::poll(polled.data(), polled.size(), milliseconds) < 0 && errno != EINTR) throw_errno("poll");
  for (std::size_t i = 0; i < polled.size(); ++i) {
    if (polled[i].revents != 0) streams[i].first->read(*streams[i].second);
  }
}

nlohmann::json IsolatedProcess::result() {
  IsolatedProcess* const self = this;
  while (!ended()) wait_for_any({&self, 1}, -1);
  const int status = wait_for(std::exchange(state_->child, -1));
  const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  const auto parsed = well ? nlohmann::json::from_cbor(state_->answer.text, true, false) : nlohmann::json();
  if (!parsed.is_object()) {
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const bool killed = signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
    throw IsolatedDeath(state_->note.read(), describe_end(status, state_->errors.text), killed);
  }
  if (parsed.contains("input_error")) {
    const nlohmann::json& error = parsed["input_error"];
    throw InputError(error[0].get<std::string>(), error[1].get<std::string>());
  }
  if (parsed.contains("storage_error")) throw StorageError(parsed["storage_error"].get<std::string>());
  if (parsed.contains("error")) throw std::runtime_error(parsed["error"].get<std::string>());
  return parsed.at("result");
}

nlohmann::json run_isolated(const std::function<nlohmann::json()>& work) {
  return IsolatedProcess(work).result();
}

std::optional<nlohmann::json> try_isolated(const std::function<nlohmann::json()>& work, double seconds) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  IsolatedProcess process(work);
  IsolatedProcess* const self = &process;
  while (!process.ended()) {
    const double left = std::chrono::duration<double>(end - Clock::now()).count();
    if (left <= 0) return std::nullopt;
    IsolatedProcess::wait_for_any({&self, 1}, left);
  }
  try {
    return process.result();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace isthmus
