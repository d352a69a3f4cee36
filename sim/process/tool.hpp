#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace isthmus {

/// What a program of the system answered.
struct ToolResult {
  int exit_code = 0;
  std::string out, err;
};

/// Whether a program of this name is on the PATH.
bool has_tool(const std::string& name);

/// Runs a program that is on the PATH to its end, without input, and returns what it wrote. Throws
/// std::runtime_error if there is none of that name or it cannot be started; an exit code other than 0 is the
/// caller's to judge.
ToolResult run_tool(const std::string& name, const std::vector<std::string>& arguments);

}  // namespace isthmus
