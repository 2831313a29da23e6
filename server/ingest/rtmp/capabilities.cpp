#include "server/ingest/rtmp/capabilities.hpp"

#include <array>
#include <utility>

namespace lookback::server::rtmp {
namespace {

constexpr std::array video_codes{"avc1", "hvc1", "av01", "vp09"};
constexpr std::array audio_codes{"mp4a", "Opus", "ac-3", "ec-3", ".mp3", "fLaC"};

constexpr double can_forward = 4;                                                         // FourCcInfoMask
constexpr unsigned reconnect = 1, multitrack = 2, mod_ex = 4, timestamp_nano_offset = 8;  // CapsExMask

template <class Codes>
amf0::Value info_map(const Codes& codes) {
  amf0::Object map;
  for (const auto* code : codes) map.properties.push_back({code, {can_forward}});
  return {std::move(map)};
}

}  // namespace

bool speaks_enhanced(const amf0::Value& arguments) {
  for (const auto* name : {"fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"}) {
    if (arguments.find(name) != nullptr) return true;
  }
  return false;
}

bool takes_reconnect_request(const amf0::Value& arguments) {
  const auto* caps = arguments.find("capsEx");
  const auto* number = caps == nullptr ? nullptr : caps->number();
  if (number == nullptr || !(*number >= 0 && *number < 4'294'967'296.0)) return false;
  return (static_cast<std::uint32_t>(*number) & reconnect) != 0;
}

void add_capabilities(amf0::Object& properties) {
  amf0::StrictArray list;
  for (const auto* code : video_codes) list.items.push_back({std::string(code)});
  for (const auto* code : audio_codes) list.items.push_back({std::string(code)});
  auto& out = properties.properties;
  out.push_back({"fourCcList", {std::move(list)}});
  out.push_back({"videoFourCcInfoMap", info_map(video_codes)});
  out.push_back({"audioFourCcInfoMap", info_map(audio_codes)});
  out.push_back({"capsEx", {static_cast<double>(reconnect | multitrack | mod_ex | timestamp_nano_offset)}});
}

}  // namespace lookback::server::rtmp
