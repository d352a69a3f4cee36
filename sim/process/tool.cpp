#include "sim/process/tool.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/process.hpp>
#include <future>
#include <stdexcept>

namespace isthmus {

namespace process = boost::process;

bool has_tool(const std::string& name) { return !process::search_path(name).empty(); }

ToolResult run_tool(const std::string& name, const std::vector<std::string>& arguments) {
  const auto program = process::search_path(name);
  if (program.empty()) throw std::runtime_error("no program \"" + name + "\" on the PATH");
  boost::asio::io_context streams;  // reads both outputs at once, so that neither pipe fills up
  std::future<std::string> out, err;
  process::child child(program, process::args(arguments), (process::std_in < process::null),
                       (process::std_out > out), (process::std_err > err), streams);
  streams.run();
  child.wait();
  return {child.exit_code(), out.get(), err.get()};
}

}  // namespace isthmus
