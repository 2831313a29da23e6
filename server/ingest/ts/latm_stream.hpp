#pragma once
#include <vector>

#include "server/ingest/ts/sound_stream.hpp"

namespace lookback::server::ts {

/// AAC in LATM with LOAS sync words (ISO/IEC 14496-3 1.7): one programme, one layer, one frame in each
/// element, which is what broadcasters send (ETSI TS 101 154 6.4). Frames come out as in ADTS.
class LatmStream final : public SoundStream {
 public:
  explicit LatmStream(Counts& counts) : SoundStream(packager::Codec::aac, shortest_unit, counts) {}

 private:
  static constexpr std::size_t shortest_unit = 4;

  bool is_sync(ByteSpan bytes) const override;
  std::size_t frame_bytes(ByteSpan bytes) const override;
  Result<SoundFrame> unpack(ByteSpan frame) override;
  std::string unsupported() const override {
    return "AAC in LATM with several layers, programmes or subframes";
  }

  std::vector<std::byte> config_;  ///< AudioSpecificConfig in force; empty: none has come
};

}  // namespace lookback::server::ts
