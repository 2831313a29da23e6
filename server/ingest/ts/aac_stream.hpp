#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "server/ingest/ts/counts.hpp"
#include "server/ingest/ts/elementary_stream.hpp"

namespace lookback::server::ts {

/// The header of an ADTS frame (ISO/IEC 14496-3 1.A.3.2).
struct AdtsHeader {
  std::size_t header_bytes = 0;       ///< 7, or 9 with a CRC
  std::size_t frame_bytes = 0;        ///< with the header
  std::array<std::byte, 2> config{};  ///< AudioSpecificConfig that says the same
  std::uint32_t sample_rate = 0;
};

/// Reads the header at the front of `bytes`, which has at least 7. Empty: there is none, or one of a form
/// that no encoder of a live stream uses (several raw data blocks, channels told by a PCE).
std::optional<AdtsHeader> parse_adts(ByteSpan bytes);

/// AAC in ADTS (ISO/IEC 13818-7): any number of frames in a PES unit, also such as go on in the next one. A
/// unit's timestamp is that of the first frame that begins in it; those behind it follow by their length.
/// A changed header counts when it comes twice: once is damage.
class AacStream final : public ElementaryStream {
 public:
  explicit AacStream(Counts& counts) : counts_(counts) {}
  void take(const TimedUnit& unit, std::vector<IngestEvent>& out) override;
  void lose() override { rest_.clear(); }

 private:
  void give(const AdtsHeader& header, ByteSpan frame, std::vector<IngestEvent>& out);
  bool announce(const AdtsHeader& header, std::vector<IngestEvent>& out);

  Counts& counts_;
  std::vector<std::byte> rest_;  ///< a frame that has begun: less than the 8,191 bytes that one may have
  std::optional<std::array<std::byte, 2>> current_, candidate_;
  bool timed_ = false;
  std::int64_t base_pts_ = 0;      ///< ticks of 90 kHz, of a frame that a timestamp told of
  std::int64_t frames_since_ = 0;  ///< since then
  std::uint32_t samples_per_frame_ = 1'024;
};

}  // namespace lookback::server::ts
