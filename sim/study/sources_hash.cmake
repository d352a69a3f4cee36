# Writes ${OUT}: a hash of the sources that numbers depend on, so that what one build has trained is never taken for what
# another would train. Run while building, as: cmake -DROOT=... -DOUT=... -P sources_hash.cmake
set(hashes "")
foreach(folder models sim/core sim/collectives sim/averaging sim/graphs sim/servers sim/protocols sim/simgrid)
  file(GLOB_RECURSE files ${ROOT}/${folder}/*.cpp ${ROOT}/${folder}/*.hpp)
  list(FILTER files EXCLUDE REGEX "/models/device/")  # times alone
  list(SORT files)
  foreach(file ${files})
    file(SHA256 ${file} hash)
    string(APPEND hashes ${hash})
  endforeach()
endforeach()
string(SHA256 hash "${hashes}")
string(SUBSTRING ${hash} 0 16 ISTHMUS_NUMERICS)
file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT "#include \"sim/study/provenance.hpp\"

namespace isthmus {

std::string numerics_version() { return \"${ISTHMUS_NUMERICS}\"; }

}  // namespace isthmus
")
