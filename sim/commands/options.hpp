#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/commands/commands.hpp"

namespace isthmus {

/// A command's options and its positional arguments, checked.
class CommandLine {
 public:
  /// `usage`: what follows the program's name. `positional`: name of the argument, or empty. `help`: printed
  /// after the usage; shows an example. `most`: so many positional arguments are taken at most, and one at
  /// least.
  CommandLine(std::string usage, std::string positional, std::string help, int most = 1);

  /// To be filled before parse().
  boost::program_options::options_description& options() { return options_; }

  /// Unless it is "isthmus": how its help calls the program.
  void set_program(std::string program) { program_ = std::move(program); }

  /// With this option, no positional argument is needed.
  void set_sufficient(std::string option) { sufficient_ = std::move(option); }

  /// No positional argument is needed.
  void set_optional() { optional_ = true; }

  /// False if help was asked for, and has been printed. Throws InputError.
  bool parse(const Arguments& arguments);

  const boost::program_options::variables_map& values() const { return values_; }
  bool has_argument() const { return values_.count(positional_) > 0; }
  std::string argument() const { return arguments().front(); }
  const std::vector<std::string>& arguments() const {
    return values_[positional_].as<std::vector<std::string>>();
  }

 private:
  std::string program_ = "isthmus", usage_, positional_, help_, sufficient_;
  int most_;
  bool optional_ = false;
  boost::program_options::options_description options_{"Options"};
  boost::program_options::variables_map values_;
};

}  // namespace isthmus
