#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "server/ingest/ts/parameter_sets.hpp"

namespace lookback::server::ts {

/// SPS and PPS of an H.264 stream, and their AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1).
class AvcParameters final : public ParameterSets {
 public:
  Change look(ByteSpan nal_unit) const override;
  Change put(ByteSpan nal_unit) override;
  bool complete() const override { return !sps_.empty() && !pps_.empty(); }
  std::vector<std::byte> record() const override;

 private:
  using Sets = std::map<std::uint32_t, std::vector<std::byte>>;  ///< by id
  Sets sps_, pps_;
};

}  // namespace lookback::server::ts
