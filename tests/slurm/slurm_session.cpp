#include "tests/slurm/slurm_session.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "sim/process/tool.hpp"

namespace isthmus::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

bool is_in_time(Clock::duration longest, const std::function<bool()>& is_so) {
  for (const auto end = Clock::now() + longest; !is_so(); std::this_thread::sleep_for(50ms)) {
    if (Clock::now() > end) return false;
  }
  return true;
}

std::string last_line(const fs::path& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) last = line;
  return last;
}

/// Debian has the daemons in a folder that is not on everybody's PATH.
std::string daemon_path(const std::string& name) {
  for (const char* folder : {"/usr/sbin", "/usr/local/sbin", "/usr/bin"}) {
    const fs::path file = fs::path(folder) / name;
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  throw NoSlurm(name + " is not installed");
}

std::string user_name() {
  const passwd* user = getpwuid(geteuid());
  if (user == nullptr) throw NoSlurm("this user has no name");
  return user->pw_name;
}

/// TCP ports that were free a moment ago, all different.
template <std::size_t count>
std::array<int, count> free_ports() {
  std::array<int, count> ports{}, sockets{};
  for (std::size_t i = 0; i < count; ++i) {
    sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(sockets[i], reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(sockets[i], reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw NoSlurm("no port on the loopback");
    }
    ports[i] = ntohs(address.sin_port);
  }
  for (const int each : sockets) close(each);
  return ports;
}

void write_key(const fs::path& file) {
  std::random_device random;
  std::string key;
  for (int i = 0; i < 128; ++i) key += static_cast<char>(random() & 0xFF);
  write_text(file, key);
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace

SlurmSession::SlurmSession() {
  // What slurmd leaves behind becomes our child, so that stop() finds it.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  using fs::perms;
  fs::permissions(folder_.path(),
                  perms::owner_all | perms::group_exec | perms::others_exec);  // munge insists
  for (const char* name : {"state", "spool"}) fs::create_directory(folder_ / name);
  write_key(folder_ / "munge.key");
  write_configuration();
  setenv("SLURM_CONF", (folder_ / "slurm.conf").c_str(), 1);
  try {
    const std::string socket = "--socket=" + (folder_ / "munge.socket").string();
    start({daemon_path("munged"), "--foreground", socket, "--key-file=" + (folder_ / "munge.key").string(),
           "--pid-file=" + (folder_ / "munge.pid").string(), "--log-file=" + (folder_ / "munge.log").string(),
           "--seed-file=" + (folder_ / "munge.seed").string()},
          "munge.log", [&] {
            return run_tool("munge", {socket, "--no-input"}).exit_code == 0;
          });
    start({daemon_path("slurmctld"), "-D", "-c"}, "slurmctld.log",
          [] { return run_tool("scontrol", {"ping"}).out.find(" is UP") != std::string::npos; });
    start({daemon_path("slurmd"), "-D", "-N", "node1"}, "slurmd.log", [] {
      return run_tool("sinfo", {"--noheader", "--format=%T"}).out == "idle\n";
    });
  } catch (const std::exception& error) {
    stop();
    throw NoSlurm(error.what());
  }
}

SlurmSession::~SlurmSession() {
  run_tool("scancel", {"--user", user_name()});
  is_in_time(10s, [] { return run_tool("squeue", {"--noheader"}).out.empty(); });
  stop();
}

void SlurmSession::write_configuration() const {
  const auto [controller_port, node_port] = free_ports<2>();
  const std::string folder = folder_.path(), user = user_name();
  // Times are short, so that tests are; nothing that needs privileges.
  write_text(folder_ / "slurm.conf",
             "ClusterName=isthmus-test\n"
             "SlurmctldHost=localhost(127.0.0.1)\n"
             "SlurmctldPort=" +
                 std::to_string(controller_port) +
                 "\n"
                 "SlurmdPort=" +
                 std::to_string(node_port) +
                 "\n"
                 "SlurmUser=" +
                 user +
                 "\n"
                 "SlurmdUser=" +
                 user +
                 "\n"
                 "AuthType=auth/munge\n"
                 "AuthInfo=socket=" +
                 folder +
                 "/munge.socket\n"
                 "CredType=cred/munge\n"
                 "StateSaveLocation=" +
                 folder +
                 "/state\n"
                 "SlurmdSpoolDir=" +
                 folder +
                 "/spool\n"
                 "SlurmctldPidFile=" +
                 folder +
                 "/slurmctld.pid\n"
                 "SlurmdPidFile=" +
                 folder +
                 "/slurmd.pid\n"
                 "SlurmctldLogFile=" +
                 folder +
                 "/slurmctld.log\n"
                 "SlurmdLogFile=" +
                 folder +
                 "/slurmd.log\n"
                 "ProctrackType=proctrack/linuxproc\n"
                 "TaskPlugin=task/none\n"
                 "JobAcctGatherType=jobacct_gather/none\n"
                 "AccountingStorageType=accounting_storage/none\n"
                 "MpiDefault=none\n"
                 "SwitchType=switch/none\n"
                 "SelectType=select/cons_tres\n"
                 "SelectTypeParameters=CR_Core_Memory\n"
                 "SchedulerType=sched/builtin\n"
                 "SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,"
                 "default_queue_depth=100\n"
                 "MaxArraySize=" +
                 std::to_string(largest_array) +
                 "\n"
                 "MaxJobCount=1000\n"
                 "MinJobAge=5\n"
                 "KillWait=2\n"
                 "ReturnToService=2\n"
                 "NodeName=node1 NodeAddr=127.0.0.1 NodeHostname=localhost CPUs=2 RealMemory=1000\n"
                 "PartitionName=main Nodes=node1 Default=YES DefMemPerCPU=300 MaxTime=60 State=UP\n");
}

void SlurmSession::start(const std::vector<std::string>& command, const std::string& log,
                         const std::function<bool()>& is_ready) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid(), child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    const int nowhere = open("/dev/null", O_RDWR);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, stream);
    execv(argv[0], argv.data());
    _exit(127);
  }
  daemons_.push_back(child);
  bool ended = false;
  const bool answered = is_in_time(20s, [&] {
    ended = waitpid(child, nullptr, WNOHANG) == child;
    return ended || is_ready();
  });
  if (ended) daemons_.pop_back();
  if (!ended && answered) return;
  const std::string name = fs::path(command[0]).filename();
  throw NoSlurm(name + (ended ? " does not start: " : " does not answer: ") + last_line(folder_ / log));
}

void SlurmSession::stop() {
  for (auto daemon = daemons_.rbegin(); daemon != daemons_.rend(); ++daemon) {
    kill(*daemon, SIGTERM);
    const auto is_gone = [&] { return waitpid(*daemon, nullptr, WNOHANG) != 0; };
    if (is_in_time(5s, is_gone)) continue;
    kill(*daemon, SIGKILL);
    waitpid(*daemon, nullptr, 0);
  }
  daemons_.clear();
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  unsetenv("SLURM_CONF");
}

std::string slurm_says(const std::string& tool, const std::vector<std::string>& arguments) {
  const ToolResult result = run_tool(tool, arguments);
  INFO(tool << " said: " << result.err);
  REQUIRE(result.exit_code == 0);
  return result.out;
}

bool wait_until(const std::function<bool()>& is_so) { return is_in_time(120s, is_so); }

bool wait_for_empty_queue() {
  return wait_until([] { return slurm_says("squeue", {"--noheader"}).empty(); });
}

}  // namespace isthmus::testing
