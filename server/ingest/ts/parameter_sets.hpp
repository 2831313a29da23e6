#pragma once
#include <cstddef>
#include <vector>

#include "packager/errc.hpp"
#include "packager/media/track_format.hpp"
#include "store/base/bytes.hpp"

namespace lookback::server::ts {

/// The parameter sets of a video stream, and the configuration record that an init segment wants of them;
/// one class for each codec. Belongs to its session's thread.
class ParameterSets {
 public:
  enum class Change {
    none,     ///< known, byte for byte
    changed,  ///< new, or different under the same id
    refused,  ///< damaged, or above a bound
  };

  virtual ~ParameterSets() = default;
  /// What `put` would answer; changes nothing.
  virtual Change look(ByteSpan nal_unit) const = 0;
  /// Takes one. A sequence's set that differs from the one under its id ends what was known before: its
  /// stream is another one.
  virtual Change put(ByteSpan nal_unit) = 0;
  /// Whether there is one of each kind.
  virtual bool complete() const = 0;
  /// The body of the sample entry's box, with 4-byte NAL unit lengths; `complete()`.
  virtual std::vector<std::byte> record() const = 0;
};

/// No parameter set is longer than this, nor are all of them together.
inline constexpr std::size_t max_set_bytes = 4 * 1024, max_sets_bytes = 12 * 1024;

}  // namespace lookback::server::ts
