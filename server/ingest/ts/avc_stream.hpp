#pragma once
#include "server/ingest/ts/avc_parameters.hpp"
#include "server/ingest/ts/codec_picture_stream.hpp"

namespace lookback::server::ts {

/// H.264 (ITU-T H.264 annex B).
struct Avc {
  using Parameters = AvcParameters;
  static NalRole role_of(ByteSpan nal_unit);
  static constexpr auto parse = packager::parse_avc_config;
};
using AvcStream = CodecPictureStream<Avc>;

}  // namespace lookback::server::ts
