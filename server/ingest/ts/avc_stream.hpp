#pragma once
#include "server/ingest/ts/avc_parameters.hpp"
#include "server/ingest/ts/picture_stream.hpp"

namespace lookback::server::ts {

/// H.264 (ITU-T H.264 annex B).
class AvcStream final : public PictureStream {
 public:
  using PictureStream::PictureStream;

 private:
  NalRole role_of(ByteSpan nal_unit) const override;
  ParameterSets& parameters() override { return parameters_; }
  Result<packager::TrackFormat> parse_record(ByteSpan record) const override {
    return packager::parse_avc_config(record);
  }

  AvcParameters parameters_;
};

}  // namespace lookback::server::ts
