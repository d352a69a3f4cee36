#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace isthmus {

/// What a device's memory is used for.
enum class MemoryPart { parameters, gradients, optimizer, activations, buffers, data };
constexpr std::array<std::string_view, 6> memory_part_names = {"parameters",  "gradients", "optimizer",
                                                               "activations", "buffers",   "data"};

/// Bytes by part.
class MemoryUse {
 public:
  std::uint64_t& operator[](MemoryPart part) { return bytes_[static_cast<std::size_t>(part)]; }
  std::uint64_t operator[](MemoryPart part) const { return bytes_[static_cast<std::size_t>(part)]; }
  std::uint64_t total() const;

 private:
  friend void to_json(nlohmann::json& json, const MemoryUse& use);
  friend void from_json(const nlohmann::json& json, MemoryUse& use);
  std::array<std::uint64_t, memory_part_names.size()> bytes_{};
};

// From one process to another.
void to_json(nlohmann::json& json, const MemoryUse& use);
void from_json(const nlohmann::json& json, MemoryUse& use);

/// A worker needed more memory than its device has. An outcome of a run, not an error.
class OutOfMemory : public std::runtime_error {
 public:
  /// `need`: what was in use and the request that failed.
  OutOfMemory(std::string host_name, int worker_rank, const MemoryUse& need_by_part, std::uint64_t limit);

  std::string host;
  int rank;
  MemoryUse need;
  std::uint64_t limit_bytes;
};

class Reservation;

/// What a worker holds in its device's memory, now and at most.
class MemoryAccount {
 public:
  MemoryAccount(std::string host, int rank, std::optional<std::uint64_t> limit_bytes)
      : host_(std::move(host)), rank_(rank), limit_bytes_(limit_bytes) {}
  MemoryAccount(const MemoryAccount&) = delete;
  MemoryAccount& operator=(const MemoryAccount&) = delete;

  /// Throws OutOfMemory.
  [[nodiscard]] Reservation reserve(MemoryPart part, std::uint64_t bytes);

  /// At the moment when most was in use.
  const MemoryUse& peak() const { return peak_; }
  std::optional<std::uint64_t> limit_bytes() const { return limit_bytes_; }

 private:
  friend class Reservation;
  std::string host_;
  int rank_;
  std::optional<std::uint64_t> limit_bytes_;
  MemoryUse use_, peak_;
};

/// Memory in use until this goes out of scope.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept { *this = std::move(other); }
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { release(); }
  void release();

 private:
  friend class MemoryAccount;
  Reservation(MemoryAccount& account, MemoryPart part, std::uint64_t bytes)
      : account_(&account), part_(part), bytes_(bytes) {}

  MemoryAccount* account_ = nullptr;
  MemoryPart part_{};
  std::uint64_t bytes_ = 0;
};

}  // namespace isthmus
