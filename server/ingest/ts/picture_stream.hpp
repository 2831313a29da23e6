#pragma once
#include <vector>

#include "server/ingest/ts/counts.hpp"
#include "server/ingest/ts/elementary_stream.hpp"
#include "server/ingest/ts/parameter_sets.hpp"

namespace lookback::server::ts {

/// What a NAL unit is to the sample of its picture.
enum class NalRole : std::uint8_t {
  damaged,   ///< no NAL unit at all
  left_out,  ///< delimiters, filler, other layers
  parameter_set,
  sequence_set,  ///< the parameter set that a whole sequence needs: SPS
  picture,
  key_picture,
  supplement,  ///< SEI and such
  key_mark,    ///< a supplement that says: decoding may begin here (open GOP, periodic intra refresh)
};

/// Access units as byte streams (ISO/IEC 13818-1 2.14 and 2.17) into length-prefixed samples, with the
/// parameter sets in the format instead (avc1, hvc1). A sync sample is what its encoder marks as one: a key
/// picture, a recovery point, or a random access point with parameter sets. Parameters change with a sync
/// sample only: others that differ stay in their picture's sample, where decoders look for them, too.
class PictureStream : public ElementaryStream {
 public:
  explicit PictureStream(Counts& counts) : counts_(counts) {}
  void take(const TimedUnit& unit, std::vector<IngestEvent>& out) final;

 protected:
  virtual NalRole role_of(ByteSpan nal_unit) const = 0;
  virtual ParameterSets& parameters() = 0;
  virtual Result<packager::TrackFormat> parse_record(ByteSpan record) const = 0;

 private:
  struct Picture {
    bool has_slice = false, sync = false, has_sequence_set = false;
  };

  /// Sorts the unit's NAL units; false: it is damaged.
  bool split(ByteSpan payload, Picture& picture);
  void settle_parameters(bool sync, std::vector<IngestEvent>& out);
  Slice joined() const;

  Counts& counts_;
  std::vector<std::byte> record_;  ///< of the format that was given out last; empty: none
  std::vector<ByteSpan> units_;    ///< of the picture in hand: what goes into its sample
  std::vector<ByteSpan> sets_;     ///< and its parameter sets
};

/// Whether an SEI NAL unit with a header of `header_bytes` has a recovery point message (ITU-T H.264 D.1.8,
/// H.265 D.2.8).
bool has_recovery_point(ByteSpan nal_unit, std::size_t header_bytes);

}  // namespace lookback::server::ts
