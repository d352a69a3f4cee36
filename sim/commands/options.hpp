#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>

#include "sim/commands/commands.hpp"

namespace isthmus {

/// A command's options and its one positional argument, checked.
class CommandLine {
 public:
  /// `usage`: what follows the program's name. `positional`: name of the argument, or empty. `help`: printed after the
  /// usage; shows an example.
  CommandLine(std::string usage, std::string positional, std::string help, std::string program = "isthmus");

  /// To be filled before parse().
  boost::program_options::options_description& options() { return options_; }

  /// False if help was asked for, and has been printed. Throws InputError.
  bool parse(const Arguments& arguments);

  const boost::program_options::variables_map& values() const { return values_; }
  std::string argument() const { return values_[positional_].as<std::string>(); }

 private:
  std::string program_, usage_, positional_, help_;
  boost::program_options::options_description options_{"Options"};
  boost::program_options::variables_map values_;
};

}  // namespace isthmus
