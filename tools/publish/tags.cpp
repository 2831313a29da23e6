#include "tools/publish/tags.hpp"

#include <stdexcept>

#include "packager/media/vp9.hpp"
#include "server/ingest/rtmp/big_endian.hpp"

namespace lookback::publish {
namespace {

using server::rtmp::put_be;

constexpr unsigned sequence_start_type = 0, frames_type = 1, frames_x_type = 3, mod_ex_type = 7;
constexpr unsigned audio_multitrack_type = 5, video_multitrack_type = 6, one_track = 0;
constexpr unsigned key_frame = 1, inter_frame = 2;
constexpr unsigned enhanced_audio = 9;

ByteSpan as_span(const std::uint8_t* data, int size) {
  return {reinterpret_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
}

void append(Bytes& out, ByteSpan bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

bool has_record(AVCodecID codec) { return codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC; }

Bytes config_of(const AVCodecParameters& track) {
  const auto extradata = as_span(track.extradata, track.extradata_size);
  const bool needs_one = has_record(track.codec_id) || track.codec_id == AV_CODEC_ID_AAC ||
                         track.codec_id == AV_CODEC_ID_AV1 || track.codec_id == AV_CODEC_ID_FLAC ||
                         track.codec_id == AV_CODEC_ID_OPUS;
  const bool annex_b = has_record(track.codec_id) && !extradata.empty() && extradata[0] != std::byte{1};
  if (annex_b || (needs_one && extradata.empty())) {
    throw std::runtime_error(
        std::string(avcodec_get_name(track.codec_id)) +
        " without the configuration that MP4 has: remux it first (ffmpeg -i FILE -c copy FILE.mp4)");
  }
  Bytes config;
  if (track.codec_id == AV_CODEC_ID_FLAC) {
    append(config, as_bytes("fLaC"));
    put_be(0x80u << 24 | static_cast<std::uint32_t>(extradata.size()), 4, config);  // last block, STREAMINFO
  }
  append(config, extradata);
  return config;
}

}  // namespace

std::string_view fourcc_of(AVCodecID codec) {
  switch (codec) {
    case AV_CODEC_ID_H264:
      return "avc1";
    case AV_CODEC_ID_HEVC:
      return "hvc1";
    case AV_CODEC_ID_AV1:
      return "av01";
    case AV_CODEC_ID_VP9:
      return "vp09";
    case AV_CODEC_ID_AAC:
      return "mp4a";
    case AV_CODEC_ID_OPUS:
      return "Opus";
    case AV_CODEC_ID_AC3:
      return "ac-3";
    case AV_CODEC_ID_EAC3:
      return "ec-3";
    case AV_CODEC_ID_MP3:
      return ".mp3";
    case AV_CODEC_ID_FLAC:
      return "fLaC";
    default:
      return {};
  }
}

TagWriter::TagWriter(const AVCodecParameters& track, std::uint8_t number)
    : is_video_(track.codec_type == AVMEDIA_TYPE_VIDEO),
      number_(number),
      codec_(track.codec_id),
      fourcc_(fourcc_of(track.codec_id)),
      config_(config_of(track)) {
  if (fourcc_.empty()) {
    throw std::runtime_error(std::string("Enhanced RTMP does not carry ") + avcodec_get_name(track.codec_id));
  }
}

unsigned TagWriter::first_byte(bool key, unsigned packet_type) const {
  if (!is_video_) return enhanced_audio << 4 | packet_type;
  return 0x80 | (key ? key_frame : inter_frame) << 4 | packet_type;
}

/// The type that the message says first.
unsigned TagWriter::outer_type(unsigned packet_type) const {
  if (number_ == 0) return packet_type;
  return is_video_ ? video_multitrack_type : audio_multitrack_type;
}

/// What stands between the types and the body.
void TagWriter::put_front(unsigned packet_type, Bytes& out) const {
  if (number_ != 0) put_be(one_track << 4 | packet_type, 1, out);
  append(out, as_bytes(fourcc_));
  if (number_ != 0) put_be(number_, 1, out);
}

Bytes TagWriter::sequence_start(const AVPacket& first) const {
  auto config = config_;
  if (codec_ == AV_CODEC_ID_VP9) {
    constexpr std::size_t record_bytes = 8;
    const auto made = packager::vp9_config(as_span(first.data, first.size));
    if (!made) throw std::runtime_error("the first VP9 picture is no key picture");
    config.assign(made->begin(), made->begin() + record_bytes);
  } else if (config.empty()) {
    return {};
  }
  Bytes out;
  put_be(first_byte(true, outer_type(sequence_start_type)), 1, out);
  put_front(sequence_start_type, out);
  append(out, config);
  return out;
}

Bytes TagWriter::frame(const AVPacket& packet, std::int32_t composition_ms, std::uint32_t nanoseconds) const {
  const bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  const bool composed = has_record(codec_) && composition_ms != 0;
  const auto type = has_record(codec_) && !composed ? frames_x_type : frames_type;
  Bytes out;
  out.reserve(static_cast<std::size_t>(packet.size) + 16);
  put_be(first_byte(key, nanoseconds != 0 ? mod_ex_type : outer_type(type)), 1, out);
  if (nanoseconds != 0) {
    put_be(2, 1, out);  // three bytes of data
    put_be(nanoseconds, 3, out);
    put_be(outer_type(type), 1, out);  // TimestampOffsetNano is 0
  }
  put_front(type, out);
  if (composed) put_be(static_cast<std::uint32_t>(composition_ms), 3, out);
  append(out, as_span(packet.data, packet.size));
  return out;
}

}  // namespace lookback::publish
