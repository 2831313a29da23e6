#pragma once
#include "server/ingest/ts/hevc_parameters.hpp"
#include "server/ingest/ts/picture_stream.hpp"

namespace lookback::server::ts {

/// HEVC (ITU-T H.265 annex B), the base layer: of several layers only that is decoded by players.
class HevcStream final : public PictureStream {
 public:
  using PictureStream::PictureStream;

 private:
  NalRole role_of(ByteSpan nal_unit) const override;
  ParameterSets& parameters() override { return parameters_; }
  Result<packager::TrackFormat> parse_record(ByteSpan record) const override {
    return packager::parse_hevc_config(record);
  }

  HevcParameters parameters_;
};

}  // namespace lookback::server::ts
