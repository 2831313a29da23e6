#pragma once
#include "server/ingest/ts/sound_stream.hpp"

namespace lookback::server::ts {

/// MPEG-1 and MPEG-2 audio (ISO/IEC 11172-3, 13818-3), of which layer III can be carried. The stream types
/// are the same for all layers, so that the others are known by their frames alone.
class Mp3Stream final : public SoundStream {
 public:
  explicit Mp3Stream(Counts& counts) : SoundStream(packager::Codec::mp3, 4, counts) {}

 private:
  bool is_sync(ByteSpan bytes) const override;
  std::size_t frame_bytes(ByteSpan bytes) const override;
  Result<SoundFrame> unpack(ByteSpan frame) override;
  std::string unsupported() const override {
    return "MPEG audio of layer I or II: layer III alone can be carried";
  }
};

}  // namespace lookback::server::ts
