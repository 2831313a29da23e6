#pragma once
#include <vector>

#include "server/ingest/ts/avc_parameters.hpp"
#include "server/ingest/ts/counts.hpp"
#include "server/ingest/ts/elementary_stream.hpp"

namespace lookback::server::ts {

/// H.264 access units as byte streams (ISO/IEC 13818-1 2.14) into length-prefixed samples, with the
/// parameter sets in the format instead (avc1). A sync sample is what its encoder marks as one: an IDR
/// picture, a recovery point (open GOP, periodic intra refresh), or a random access point with parameter
/// sets. Parameters change with a sync sample only: others that differ stay in their picture's sample, where
/// decoders look for them, too.
class AvcStream final : public ElementaryStream {
 public:
  explicit AvcStream(Counts& counts) : counts_(counts) {}
  void take(const TimedUnit& unit, std::vector<IngestEvent>& out) override;

 private:
  struct Picture {
    bool has_slice = false, sync = false, has_sps = false;
  };

  /// Sorts the unit's NAL units; false: it is damaged.
  bool split(ByteSpan payload, Picture& picture);
  void settle_parameters(bool sync, std::vector<IngestEvent>& out);
  Slice joined() const;

  Counts& counts_;
  AvcParameters parameters_;
  std::vector<std::byte> record_;  ///< of the format that was given out last; empty: none
  std::vector<ByteSpan> units_;    ///< of the picture in hand: what goes into its sample
  std::vector<ByteSpan> sets_;     ///< and its parameter sets
};

}  // namespace lookback::server::ts
