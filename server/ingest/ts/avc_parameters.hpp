#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "store/base/bytes.hpp"

namespace lookback::server::ts {

/// The parameter sets of an H.264 stream, and the configuration record that an init segment wants of them.
/// Belongs to its session's thread.
class AvcParameters {
 public:
  enum class Change {
    none,     ///< known, byte for byte
    changed,  ///< new, or different under the same id
    refused,  ///< damaged, or above a bound
  };

  /// What `put` would answer; changes nothing.
  Change look(ByteSpan nal_unit) const;
  /// Takes one SPS or PPS. An SPS that differs from the one under its id ends what was known before: its
  /// stream is another one.
  Change put(ByteSpan nal_unit);

  bool complete() const { return !sps_.empty() && !pps_.empty(); }
  /// AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1) with 4-byte NAL unit lengths; `complete()`.
  std::vector<std::byte> record() const;

 private:
  using Sets = std::map<std::uint32_t, std::vector<std::byte>>;  ///< by id
  Sets sps_, pps_;
};

}  // namespace lookback::server::ts
