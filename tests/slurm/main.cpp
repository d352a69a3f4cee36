#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <iostream>

#include "tests/slurm/slurm_session.hpp"

int main(int argc, char** argv) {
  constexpr int skipped = 77;  // as tests/slurm/CMakeLists.txt tells ctest
  try {
    const isthmus::testing::SlurmSession slurm;
    return Catch::Session().run(argc, argv);
  } catch (const isthmus::testing::NoSlurm& why) {
    std::cout << "skipped, for there is no Slurm here: " << why.what() << '\n';
    return skipped;
  }
}
