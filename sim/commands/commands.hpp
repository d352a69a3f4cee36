#pragma once

#include <string>
#include <vector>

namespace isthmus {

/// What a command is given: what follows its name.
using Arguments = std::vector<std::string>;

/// One of the program's commands. Returns the exit code; bad input is thrown as InputError.
struct Command {
  const char* name;
  const char* summary;
  int (*run)(const Arguments&);
};

int run_command(const Arguments& arguments);
int check_command(const Arguments& arguments);
int plot_command(const Arguments& arguments);
int report_command(const Arguments& arguments);
int compare_command(const Arguments& arguments);
int calibrate_command(const Arguments& arguments);
int collective_command(const Arguments& arguments);
int platform_command(const Arguments& arguments);
int device_command(const Arguments& arguments);
int status_command(const Arguments& arguments);
int export_command(const Arguments& arguments);
int list_command(const Arguments& arguments);
int schema_command(const Arguments& arguments);
int store_command(const Arguments& arguments);

constexpr int unfinished_exit_code = 3;

/// The whole program; `arguments` without the program's name. Exit codes: 0 all well; 1 some run failed;
/// 2 bad input; 3 a study is not finished (status, submitting again); 130 interrupted.
int isthmus_main(const Arguments& arguments);

}  // namespace isthmus
