#include "sim/core/memory.hpp"

#include <numeric>

namespace isthmus {
namespace {

std::string describe(const MemoryUse& use) {
  std::string text;
  for (std::size_t i = 0; i < memory_part_names.size(); ++i) {
    const std::uint64_t bytes = use[static_cast<MemoryPart>(i)];
    if (bytes > 0)
      text += (text.empty() ? "" : " + ") + std::string(memory_part_names[i]) + " " + std::to_string(bytes);
  }
  return text;
}

}  // namespace

void to_json(nlohmann::json& json, const MemoryUse& use) { json = use.bytes_; }

void from_json(const nlohmann::json& json, MemoryUse& use) { json.get_to(use.bytes_); }

std::uint64_t MemoryUse::total() const {
  return std::accumulate(bytes_.begin(), bytes_.end(), std::uint64_t{0});
}

OutOfMemory::OutOfMemory(std::string host_name, int worker_rank, const MemoryUse& need_by_part,
                         std::uint64_t limit)
    : std::runtime_error("worker " + std::to_string(worker_rank) + " on " + host_name + " needs " +
                         std::to_string(need_by_part.total()) + " bytes (" + describe(need_by_part) +
                         "), its device has " + std::to_string(limit)),
      host(std::move(host_name)),
      rank(worker_rank),
      need(need_by_part),
      limit_bytes(limit) {}

Reservation MemoryAccount::reserve(MemoryPart part, std::uint64_t bytes) {
  MemoryUse need = use_;
  need[part] += bytes;
  if (limit_bytes_ && need.total() > *limit_bytes_) throw OutOfMemory(host_, rank_, need, *limit_bytes_);
  use_ = need;
  if (use_.total() > peak_.total()) peak_ = use_;
  return {*this, part, bytes};
}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  release();
  account_ = std::exchange(other.account_, nullptr);
  part_ = other.part_;
  bytes_ = other.bytes_;
  return *this;
}

void Reservation::release() {
  if (account_) account_->use_[part_] -= bytes_;
  account_ = nullptr;
}

}  // namespace isthmus
