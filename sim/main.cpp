#include "sim/commands/commands.hpp"

int main(int argc, char** argv) { return isthmus::isthmus_main({argv + 1, argv + argc}); }
