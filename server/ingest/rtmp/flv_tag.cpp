#include "server/ingest/rtmp/flv_tag.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>

#include "server/errc.hpp"
#include "server/ingest/rtmp/big_endian.hpp"

namespace lookback::server::rtmp {
namespace {

constexpr unsigned avc = 7;   // VideoTagHeader CodecID
constexpr unsigned aac = 10;  // AudioTagHeader SoundFormat
constexpr unsigned enhanced_audio = 9;
constexpr unsigned enhanced_video = 0x80;  // top bit of the first byte: Enhanced RTMP's ExVideoTagHeader
constexpr unsigned sync_frame = 1, command_frame = 5;
constexpr unsigned sequence_header = 0, coded_frames = 1;

constexpr std::size_t video_header_bytes = 5;  // frame type and codec, packet type, composition time
constexpr std::size_t audio_header_bytes = 2;

std::string video_codec_name(unsigned id) {
  switch (id) {
    case 2:
      return "Sorenson H.263";
    case 3:
    case 6:
      return "Screen video";
    case 4:
    case 5:
      return "VP6";
    case 12:
      return "HEVC";
    case 13:
      return "AV1";
    default:
      return "FLV video codec " + std::to_string(id);
  }
}

std::string audio_codec_name(unsigned id) {
  switch (id) {
    case 0:
    case 3:
      return "PCM";
    case 1:
      return "ADPCM";
    case 2:
    case 14:
      return "MP3";
    case 4:
    case 5:
    case 6:
      return "Nellymoser";
    case 7:
    case 8:
      return "G.711";
    case 11:
      return "Speex";
    case 13:
      return "Opus";
    default:
      return "FLV audio codec " + std::to_string(id);
  }
}

/// The FourCC after the first byte; it goes into logs, so only letters and digits pass.
std::string enhanced_name(ByteSpan body) {
  std::string name = "Enhanced RTMP";
  if (body.size() < 5) return name;
  const auto code = as_text(body.subspan(1, 4));
  const auto plain = [](char c) {
    return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (std::ranges::all_of(code, plain)) name.append(" ").append(code);
  return name;
}

bool nal_units_fit(ByteSpan bytes, std::size_t length_size) {
  while (!bytes.empty()) {
    if (bytes.size() < length_size) return false;
    const auto length = load_be(bytes, length_size);
    bytes = bytes.subspan(length_size);
    if (length > bytes.size()) return false;
    bytes = bytes.subspan(length);
  }
  return true;
}

std::int32_t signed_24(ByteSpan bytes) {
  const auto value = static_cast<std::int32_t>(load_be(bytes, 3));
  return value >= 0x800000 ? value - 0x1000000 : value;
}

/// A clock that far from zero (285,000 years) was driven there by jumps: it starts anew, so that it cannot
/// overflow.
constexpr std::int64_t max_clock_ms = std::numeric_limits<std::int64_t>::max() / 1'024;

constexpr std::int32_t max_composition_ms = std::numeric_limits<std::int32_t>::max() / 1'000;

}  // namespace

std::int64_t TimestampUnwrapper::unwrap_ms(std::uint32_t timestamp_ms) {
  if (!last_ || std::abs(*last_) > max_clock_ms) {
    last_ = timestamp_ms;
  } else {
    *last_ += static_cast<std::int32_t>(timestamp_ms - static_cast<std::uint32_t>(*last_));
  }
  return *last_;
}

Result<FlvItem> FlvReader::video(const Slice& payload, std::uint32_t timestamp_ms) {
  const auto body = payload.bytes;
  if (body.empty()) {  // encoders send these to keep a connection open
    ++dropped_.empty;
    return FlvItem{};
  }
  const auto first = std::to_integer<unsigned>(body[0]);
  if (first & enhanced_video) return unsupported(enhanced_name(body));
  const auto frame_type = first >> 4;
  const auto codec = first & 0x0f;
  if (frame_type == command_frame) return FlvItem{};
  if (codec != avc) return unsupported(video_codec_name(codec));
  if (body.size() < video_header_bytes) return Errc::bad_tag;

  const auto packet_type = std::to_integer<unsigned>(body[1]);
  if (packet_type == sequence_header) {
    return configured(video_, packager::parse_avc_config, body.subspan(video_header_bytes));
  }
  if (packet_type != coded_frames) return FlvItem{};  // end of sequence says nothing that we need
  return avc_sample(payload, frame_type == sync_frame, clock_.unwrap_ms(timestamp_ms));
}

Result<FlvItem> FlvReader::avc_sample(const Slice& payload, bool sync, std::int64_t dts_ms) {
  auto media = payload.sub(video_header_bytes, payload.size() - video_header_bytes);
  const auto composition_ms = signed_24(payload.bytes.subspan(2));
  if (media.bytes.empty()) {
    ++dropped_.empty;
  } else if (!video_) {
    ++dropped_.unconfigured;
  } else if (std::abs(composition_ms) > max_composition_ms ||
             !nal_units_fit(media.bytes, video_->nal_length_size)) {
    ++dropped_.damaged;
  } else {
    return FlvItem{packager::SourceSample{.kind = packager::MediaKind::video,
                                          .dts_us = dts_ms * 1'000,
                                          .composition_us = composition_ms * 1'000,
                                          .sync = sync,
                                          .payload = std::move(media)}};
  }
  return FlvItem{};
}

Result<FlvItem> FlvReader::audio(const Slice& payload, std::uint32_t timestamp_ms) {
  const auto body = payload.bytes;
  if (body.empty()) {
    ++dropped_.empty;
    return FlvItem{};
  }
  const auto codec = std::to_integer<unsigned>(body[0]) >> 4;
  if (codec == enhanced_audio) return unsupported(enhanced_name(body));
  if (codec != aac) return unsupported(audio_codec_name(codec));
  if (body.size() < audio_header_bytes) return Errc::bad_tag;
  const auto packet_type = std::to_integer<unsigned>(body[1]);
  if (packet_type == sequence_header) {
    return configured(audio_, packager::parse_aac_config, body.subspan(audio_header_bytes));
  }
  if (packet_type != coded_frames) return Errc::bad_tag;

  const auto dts_ms = clock_.unwrap_ms(timestamp_ms);
  auto media = payload.sub(audio_header_bytes, payload.size() - audio_header_bytes);
  if (media.bytes.empty() || !audio_) {
    ++(media.bytes.empty() ? dropped_.empty : dropped_.unconfigured);
    return FlvItem{};
  }
  return FlvItem{packager::SourceSample{.kind = packager::MediaKind::audio,
                                        .dts_us = dts_ms * 1'000,
                                        .sync = true,
                                        .payload = std::move(media)}};
}

/// FFmpeg announces a track before it knows its configuration (AAC out of MPEG-TS), and encoders repeat
/// theirs: only one that is there and different is news.
Result<FlvItem> FlvReader::configured(std::optional<packager::TrackFormat>& current, ConfigParser parse,
                                      ByteSpan config) {
  if (config.empty()) return FlvItem{};
  auto next = parse(config);
  if (!next) return next.error();
  if (current == *next) return FlvItem{};
  current = *next;
  return FlvItem{std::move(*next)};
}

Result<FlvItem> FlvReader::unsupported(std::string name) {
  unsupported_codec_ = std::move(name);
  return Errc::unsupported_codec;
}

}  // namespace lookback::server::rtmp
