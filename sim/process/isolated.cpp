#include "sim/process/isolated.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <regex>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "models/error.hpp"

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
    answer = {{"input_error", error.what()}};
  } catch (const std::exception& error) {
    answer = {{"error", error.what()}};
  }
  write_all(result.writer.get(), nlohmann::json::to_cbor(answer));
  ::_exit(0);
}

/// Reads both pipes until the child has closed them, so that it never blocks on a full one.
void drain(Pipe& result, std::string& answer, Pipe& errors, std::string& stderr_text) {
  std::array<std::pair<Descriptor*, std::string*>, 2> streams{
      {{&result.reader, &answer}, {&errors.reader, &stderr_text}}};
  std::vector<char> buffer(64 * 1024);
  while (streams[0].first->get() >= 0 || streams[1].first->get() >= 0) {
    std::array<pollfd, 2> polled{
        {{streams[0].first->get(), POLLIN, 0}, {streams[1].first->get(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), -1) < 0) {
      if (errno == EINTR) continue;
      throw_errno("poll");
    }
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      const ssize_t count = ::read(polled[i].fd, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        streams[i].first->close();
        continue;
      }
      streams[i].second->append(buffer.data(), static_cast<std::size_t>(count));
    }
    if (stderr_text.size() > 2 * kept_stderr) stderr_text.erase(0, stderr_text.size() - kept_stderr);
  }
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

nlohmann::json run_isolated(const std::function<nlohmann::json()>& work) {
  Pipe result, errors;
  const SharedNote note;
  std::cout.flush();
  std::fflush(nullptr);  // or the child would hold a copy of what is still buffered
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  if (child == 0) {
    child_note = note.text();
    be_child(work, result, errors, parent);
  }
  result.writer.close();
  errors.writer.close();
  std::string answer, stderr_text;
  drain(result, answer, errors, stderr_text);
  const int status = wait_for(child);

  const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  const auto parsed = well ? nlohmann::json::from_cbor(answer, true, false) : nlohmann::json();
  if (!parsed.is_object()) throw IsolatedDeath(note.read(), describe_end(status, stderr_text));
  if (parsed.contains("input_error")) throw InputError(parsed["input_error"].get<std::string>());
  if (parsed.contains("error")) throw std::runtime_error(parsed["error"].get<std::string>());
  return parsed.at("result");
}

}  // namespace isthmus
