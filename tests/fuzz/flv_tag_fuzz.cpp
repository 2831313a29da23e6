// A sequence of RTMP audio and video payloads: each is a byte of type (8 or 9), two of length and four of
// time, as in an FLV file with its sizes made short. A sample must be a slice of its payload, and NAL units
// must fill it exactly.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <vector>

#include "server/ingest/rtmp/big_endian.hpp"
#include "server/ingest/rtmp/flv_tag.hpp"

using namespace lookback;
using namespace lookback::server::rtmp;
using packager::Codec;
using packager::MediaKind;
using packager::TrackFormat;

namespace {

constexpr std::size_t header_bytes = 7;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_nal_units(ByteSpan media, std::size_t length_size) {
  while (!media.empty()) {
    require(media.size() >= length_size);
    const auto length = load_be(media, length_size);
    require(length <= media.size() - length_size);
    media = media.subspan(length_size + length);
  }
}

/// Whatever is accepted reads the same from its stored form.
void check_format(const TrackFormat& format, std::optional<TrackFormat>& known) {
  const auto again = packager::deserialize_format(packager::serialize(format));
  require(again.has_value() && *again == format && !format.codecs.empty() && format.timescale > 0);
  known = format;
}

void check_picture(const TrackFormat& format, ByteSpan media) {
  if (format.codec == Codec::avc || format.codec == Codec::hevc)
    check_nal_units(media, format.nal_length_size);
}

using Known = std::map<packager::SourceTrack, std::optional<TrackFormat>>;

void check_item(const FlvItem& item, const Slice& payload, Known& known) {
  if (item.format) check_format(*item.format, known[{item.format->kind, item.number}]);
  if (!item.sample) return;
  const auto& sample = *item.sample;
  require(sample.payload.owner == payload.owner && !sample.payload.bytes.empty());
  const bool is_video = sample.kind == MediaKind::video;
  const auto& format = known[sample.track()];
  require(sample.number == item.number && format.has_value() && (is_video || sample.ticks > 0));
  if (is_video) check_picture(*format, sample.payload.bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = std::as_bytes(std::span(data, size));
  FlvReader reader;
  Known known;
  while (input.size() >= header_bytes) {
    const auto type = take_be<std::uint8_t>(input);
    const std::size_t length = take_be<std::uint16_t>(input);
    const auto time = take_be<std::uint32_t>(input);
    const auto body = input.first(std::min(length, input.size()));
    input = input.subspan(body.size());

    const auto payload = make_slice(std::vector<std::byte>(body.begin(), body.end()));
    const auto item = type == 8 ? reader.audio(payload, time) : reader.video(payload, time);
    if (!item) return 0;  // the session would end
    check_item(*item, payload, known);
    for (const auto& other : item->more) check_item(other, payload, known);
  }
  return 0;
}
