#pragma once
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "server/ingest/ts/parameter_sets.hpp"

namespace lookback::server::ts {

/// VPS, SPS and PPS of an HEVC stream's base layer, and their HEVCDecoderConfigurationRecord (ISO/IEC
/// 14496-15 8.3.3.1).
class HevcParameters final : public ParameterSets {
 public:
  Change look(ByteSpan nal_unit) const override;
  Change put(ByteSpan nal_unit) override;
  bool complete() const override;
  std::vector<std::byte> record() const override;

 private:
  using Key = std::pair<unsigned, std::uint32_t>;  ///< NAL unit type, id

  void forget_from(unsigned type);

  std::map<Key, std::vector<std::byte>> sets_;
};

}  // namespace lookback::server::ts
