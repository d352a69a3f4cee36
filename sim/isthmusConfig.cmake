# For find_package(isthmus): isthmus::sim is the whole program but for its main function, which is
#   int main(int argc, char** argv) { return isthmus::isthmus_main({argv + 1, argv + argc}); }
# isthmus::mpi, where it was built with MPI, is that of isthmus-mpi.
include(CMakeFindDependencyMacro)
find_dependency(PkgConfig)
find_dependency(Threads)
find_dependency(Eigen3 NO_MODULE)
find_dependency(nlohmann_json)
find_dependency(Boost COMPONENTS filesystem iostreams program_options)
find_dependency(OpenMP)
find_dependency(pugixml)
find_dependency(SQLite3)
pkg_check_modules(SIMGRID REQUIRED IMPORTED_TARGET simgrid)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
find_package(MPI COMPONENTS CXX QUIET)
include(${CMAKE_CURRENT_LIST_DIR}/isthmusTargets.cmake)
