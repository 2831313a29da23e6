#pragma once
#include "server/ingest/ts/picture_stream.hpp"

namespace lookback::server::ts {

/// A PictureStream of one codec. Codec: `Parameters`, a ParameterSets; `role_of(nal_unit)`, the codec's table
/// of NAL unit types; `parse(record)`, its configuration record into a format.
template <class Codec>
class CodecPictureStream final : public PictureStream {
 public:
  using PictureStream::PictureStream;

 private:
  NalRole role_of(ByteSpan nal_unit) const override { return Codec::role_of(nal_unit); }
  ParameterSets& parameters() override { return parameters_; }
  Result<packager::TrackFormat> parse_record(ByteSpan record) const override { return Codec::parse(record); }

  typename Codec::Parameters parameters_;
};

}  // namespace lookback::server::ts
