#include "models/threads.hpp"

#include <omp.h>

#include "models/layers/onednn.hpp"

namespace isthmus {

void use_one_thread() { omp_set_num_threads(1); }

std::string instruction_set() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "oneDNN's " + std::to_string(static_cast<unsigned>(dnnl::get_effective_cpu_isa()));
  }
}

bool has_bf16() { return onednn::has_instructions(dnnl::cpu_isa::avx512_core_bf16); }

std::string arithmetic_version() {
  const dnnl_version_t* version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace isthmus
