#pragma once

#include <simgrid/s4u.hpp>

#include "sim/platform/platform_xml.hpp"
#include "sim/scenario/scenario.hpp"

namespace isthmus {

/// Gives hosts and links the profiles of state by which they go off and come back. To be called when the
/// platform is loaded and before it is sealed. Errors: InputError for a name or glob that matches nothing, and
/// for what has a profile already.
void plan_faults(const PlatformOptions& platform, const PlatformXml& xml, const simgrid::s4u::Engine& engine);

}  // namespace isthmus
