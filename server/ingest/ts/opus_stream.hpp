#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "server/ingest/ts/sound_stream.hpp"

namespace lookback::server::ts {

/// Opus behind control headers (ETSI TS 101 154 annex and "Encapsulation of Opus in MPEG transport streams").
/// Trims are not applied: an init section could tell only that at the stream's very start.
class OpusStream final : public SoundStream {
 public:
  /// `channel_config` is that of the Opus audio descriptor. Null: a mapping that it does not tell (above 8).
  static std::unique_ptr<OpusStream> make(std::uint8_t channel_config, Counts& counts);

 private:
  OpusStream(std::vector<std::byte> config, Counts& counts);
  bool is_sync(ByteSpan bytes) const override;
  std::size_t frame_bytes(ByteSpan bytes) const override;
  Result<SoundFrame> unpack(ByteSpan frame) override;

  const std::vector<std::byte> config_;  ///< the body of a dOps box
};

}  // namespace lookback::server::ts
