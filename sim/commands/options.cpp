#include "sim/commands/options.hpp"

#include <iostream>

#include "models/error.hpp"

namespace isthmus {

namespace po = boost::program_options;

CommandLine::CommandLine(std::string usage, std::string positional, std::string help, int most)
    : usage_(std::move(usage)), positional_(std::move(positional)), help_(std::move(help)), most_(most) {
  options_.add_options()("help,h", "show this help");
}

bool CommandLine::parse(const Arguments& arguments) {
  po::options_description all;
  po::positional_options_description position;
  all.add(options_);
  if (!positional_.empty()) {
    all.add_options()(positional_.c_str(), po::value<std::vector<std::string>>());
    position.add(positional_.c_str(), most_);
  }
  try {
    const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments).options(all).positional(position).style(style).run(),
              values_);
    po::notify(values_);
  } catch (const po::error& error) {
    throw InputError(usage_, std::string(error.what()) + " (--help shows what there is)");
  }
  if (values_.count("help") > 0) {
    std::cout << "Usage: " << program_ << " " << usage_ << "\n\n" << help_ << "\n" << options_;
    return false;
  }
  const bool sufficient = optional_ || (!sufficient_.empty() && values_.count(sufficient_) > 0);
  if (!positional_.empty() && values_.count(positional_) == 0 && !sufficient) {
    throw InputError(usage_, positional_ + " is missing (--help shows an example)");
  }
  return true;
}

}  // namespace isthmus
