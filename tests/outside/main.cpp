#include "gossip.hpp"
#include "sim/commands/commands.hpp"

int main(int argc, char** argv) {
  isthmus::register_protocol(ring_gossip());
  return isthmus::isthmus_main({argv + 1, argv + argc});
}
