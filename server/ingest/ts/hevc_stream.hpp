#pragma once
#include "server/ingest/ts/codec_picture_stream.hpp"
#include "server/ingest/ts/hevc_parameters.hpp"

namespace lookback::server::ts {

/// HEVC (ITU-T H.265 annex B), the base layer: of several layers only that is decoded by players.
struct Hevc {
  using Parameters = HevcParameters;
  static NalRole role_of(ByteSpan nal_unit);
  static constexpr auto parse = packager::parse_hevc_config;
};
using HevcStream = CodecPictureStream<Hevc>;

}  // namespace lookback::server::ts
