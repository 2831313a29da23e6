#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "server/ingest/ts/sound_stream.hpp"

namespace lookback::server::ts {

/// The header of an ADTS frame (ISO/IEC 14496-3 1.A.3.2).
struct AdtsHeader {
  std::size_t header_bytes = 0;       ///< 7, or 9 with a CRC
  std::size_t frame_bytes = 0;        ///< with the header
  std::array<std::byte, 2> config{};  ///< AudioSpecificConfig that says the same
};

/// Reads the header at the front of `bytes`, which has at least 7. Empty: there is none, or one of a form
/// that no encoder of a live stream uses (several raw data blocks, channels told by a PCE).
std::optional<AdtsHeader> parse_adts(ByteSpan bytes);

/// AAC in ADTS (ISO/IEC 13818-7).
class AacStream final : public SoundStream {
 public:
  explicit AacStream(Counts& counts) : SoundStream(packager::Codec::aac, 7, counts) {}

 private:
  bool is_sync(ByteSpan bytes) const override;
  std::size_t frame_bytes(ByteSpan bytes) const override;
  Result<SoundFrame> unpack(ByteSpan frame) override;
};

}  // namespace lookback::server::ts
