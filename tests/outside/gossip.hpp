#pragma once

#include "sim/protocols/protocol.hpp"

isthmus::ProtocolKind ring_gossip();
