#pragma once

#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "models/codec/payload.hpp"
#include "models/device/work.hpp"
#include "models/kind.hpp"
#include "models/random.hpp"

namespace isthmus {

/// How values become a payload, with less in it than they hold, and back.
class Codec {
 public:
  virtual ~Codec() = default;

  /// Bytes of the payload of so many values, whatever these are.
  virtual std::size_t bytes(std::size_t count) const = 0;

  /// `payload` has bytes(values.size()); neither is phantom. What is left to chance comes from `random`.
  virtual void encode(ConstValues values, Payload payload, Random& random) const = 0;
  /// What a payload says is added to `sum`. `random` is as encode() found it; only additive codecs look.
  virtual void add_decoded(ConstPayload payload, Values sum, Random& random) const = 0;

  /// Whether the payload is numbers (fp32) which, added up over workers who drew the same random numbers,
  /// say the sum of the values: then any all-reduce can carry them. Others are carried whole.
  virtual bool is_additive() const { return false; }
  /// Whether it says nothing at all of most values, which then decode to 0.
  virtual bool is_sparse() const { return false; }
  /// Of so many values: how their places are told, of a codec that has to, for people.
  virtual std::string index_coding(std::size_t /*count*/) const { return {}; }

  /// What the device does for it. Unless it says otherwise, values are read once and the payload written, or
  /// the other way round.
  virtual Kernel encode_work(std::size_t count) const { return passes(1, count); }
  Kernel decode_work(std::size_t count) const { return passes(1, count); }

 protected:
  /// Values are read so many times, and the payload written.
  Kernel passes(int reads, std::size_t count) const;
};

/// A codec that a scenario can name. A new one is one new file and its line in codec.cpp.
struct CodecKind {
  Kind kind;
  std::unique_ptr<Codec> (*make)(const nlohmann::json& options) = nullptr;
  bool unbiased = false;  ///< of itself, what is decoded is in the mean what was encoded
};

const std::vector<CodecKind>& codec_kinds();
/// Adds one from outside; see Registry::add().
void register_codec(CodecKind codec);

/// The one that `options` name by `kind`; null if there is none. Options that are missing have their
/// defaults.
std::unique_ptr<Codec> make_codec(const nlohmann::json& options);

}  // namespace isthmus
