#pragma once

#include <boost/program_options.hpp>
#include <string>

namespace isthmus {

/// `isthmus calibrate --device`: fits a device's profile to steps of networks, measured on this machine or,
/// where there is a `table` of them, elsewhere; prints how far it is off, also for steps that were left out
/// of the fit, and writes it where the values say.
int calibrate_device(const boost::program_options::variables_map& values, const std::string& table);

}  // namespace isthmus
