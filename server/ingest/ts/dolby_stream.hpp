#pragma once
#include "server/ingest/ts/sound_stream.hpp"

namespace lookback::server::ts {

/// AC-3 (ETSI TS 102 366, ATSC A/52): a syncframe is a sample.
class Ac3Stream final : public SoundStream {
 public:
  explicit Ac3Stream(Counts& counts) : SoundStream(packager::Codec::ac3, 6, counts) {}

 private:
  bool is_sync(ByteSpan bytes) const override;
  std::size_t frame_bytes(ByteSpan bytes) const override;
  Result<SoundFrame> unpack(ByteSpan frame) override;
};

/// E-AC-3 (annex E there): a sample is an independent syncframe with its dependent ones behind it. A PES unit
/// that ends with a whole syncframe ends with a whole sample.
class Eac3Stream final : public SoundStream {
 public:
  explicit Eac3Stream(Counts& counts) : SoundStream(packager::Codec::eac3, 6, counts) {}

 private:
  bool is_sync(ByteSpan bytes) const override;
  std::size_t frame_bytes(ByteSpan bytes) const override;
  Result<SoundFrame> unpack(ByteSpan frame) override;
  bool same(ByteSpan config, ByteSpan other) const override;
  std::string unsupported() const override {
    return "E-AC-3 with a second programme, or with frames of fewer than six blocks";
  }
};

}  // namespace lookback::server::ts
