#include "server/ingest/rtmp/flv_header.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "packager/media/byte_cursor.hpp"
#include "server/errc.hpp"
#include "server/ingest/rtmp/big_endian.hpp"

namespace lookback::server::rtmp {
namespace {

using packager::ByteCursor;
using packager::Codec;
using Kind = FlvPacket::Kind;

constexpr unsigned avc = 7, hevc = 12;  // CodecID; 12 is not Adobe's, but encoders send it
constexpr unsigned mp3 = 2, enhanced = 9, aac = 10, mp3_8k = 14;  // SoundFormat
constexpr unsigned enhanced_video = 0x80;                         // top bit of the first byte
constexpr unsigned sync_frame = 1, command_frame = 5;             // FrameType
constexpr unsigned sequence_header = 0, coded_frames = 1;         // AVCPacketType, AACPacketType
constexpr std::size_t fourcc_bytes = 4, composition_bytes = 3, size_bytes = 3;

/// VideoPacketType and AudioPacketType: the first three are the same.
constexpr unsigned sequence_start = 0, frames = 1, sequence_end = 2, frames_without_composition = 3,
                   video_metadata = 4, channel_config = 4, mpeg2_ts_start = 5, audio_multitrack = 5,
                   video_multitrack = 6, mod_ex = 7;
constexpr unsigned one_track = 0, many_tracks_many_codecs = 2;  // AvMultitrackType

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
    case 4:
    case 5:
    case 6:
      return "Nellymoser";
    case 7:
    case 8:
      return "G.711";
    case 11:
      return "Speex";
    default:
      return "FLV audio codec " + std::to_string(id);
  }
}

/// It goes into logs, so only letters, digits and what real codes have beside them pass.
std::string enhanced_name(std::string_view fourcc) {
  const auto plain = [](char c) {
    return c == '-' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  std::string name = "Enhanced RTMP";
  if (std::ranges::all_of(fourcc, plain)) name.append(" ").append(fourcc);
  return name;
}

struct FourCc {
  std::string_view code;
  Codec codec;
};
constexpr std::array video_codes{FourCc{"avc1", Codec::avc}, FourCc{"hvc1", Codec::hevc},
                                 FourCc{"av01", Codec::av1}, FourCc{"vp09", Codec::vp9}};
constexpr std::array audio_codes{FourCc{"mp4a", Codec::aac}, FourCc{"Opus", Codec::opus},
                                 FourCc{"ac-3", Codec::ac3}, FourCc{"ec-3", Codec::eac3},
                                 FourCc{".mp3", Codec::mp3}, FourCc{"fLaC", Codec::flac}};

/// The parts of the enhanced headers that audio and video share.
class EnhancedReader {
 public:
  EnhancedReader(ByteSpan rest, unsigned packet_type, bool is_video)
      : in_(rest), type_(packet_type), is_video_(is_video) {}

  unsigned type() const { return type_; }

  /// Modifiers in front of the packet ("ModEx"): all but the nanoseconds are passed over.
  bool read_modifiers(FlvPacket& packet) {
    while (type_ == mod_ex) {
      constexpr unsigned timestamp_offset_nano = 0, longest_short = 256, max_nanoseconds = 999'999;
      const auto short_size = in_.u8();
      if (!short_size) return false;
      std::size_t size = *short_size + 1;
      if (size == longest_short) {
        const auto long_size = in_.u16();
        if (!long_size) return false;
        size = std::size_t{*long_size} + 1;
      }
      const auto data = in_.take(size);
      const auto next = in_.u8();
      if (!data || !next) return false;
      type_ = *next & 0xF;
      if (*next >> 4 != timestamp_offset_nano || data->size() < 3) continue;
      packet.offset_ns = std::min(static_cast<unsigned>(load_be(*data, 3)), max_nanoseconds);
    }
    return true;
  }

  bool is_multitrack() const { return type_ == (is_video_ ? video_multitrack : audio_multitrack); }

  /// Reads the packet, or each track of a multitrack message, which begins as `front` does: `finish(packet,
  /// type, in)` reads what lies behind the FourCC and the track's number. False: malformed.
  template <class Finish>
  bool read_packets(const FlvPacket& front, FlvPacket& out, Finish finish) {
    out = front;
    if (!is_multitrack()) return read_fourcc(out) && finish(out, type_, in_);
    const auto types = in_.u8();
    if (!types) return false;
    const auto layout = *types >> 4;
    type_ = *types & 0xF;
    if (is_multitrack() || layout > many_tracks_many_codecs) return false;
    auto common = front;
    if (layout != many_tracks_many_codecs && !read_fourcc(common)) return false;
    for (bool first = true; first || in_.left() > 0; first = false) {
      auto& packet = first ? out : out.more.emplace_back();
      packet = common;
      if (layout == many_tracks_many_codecs && !read_fourcc(packet)) return false;
      if (!read_track(packet, layout == one_track, finish)) return false;
      if (layout == one_track) break;
    }
    return true;
  }

 private:
  template <class Finish>
  bool read_track(FlvPacket& packet, bool is_alone, Finish finish) {
    const auto track = in_.u8();
    if (!track) return false;
    packet.track = static_cast<std::uint8_t>(*track);
    if (is_alone) return finish(packet, type_, in_);
    const auto size = in_.take(size_bytes);
    if (!size) return false;
    const auto body = in_.take(static_cast<std::size_t>(load_be(*size, size_bytes)));
    if (!body) return false;
    ByteCursor in(*body);
    return finish(packet, type_, in);
  }

  bool read_fourcc(FlvPacket& packet) {
    const auto code = in_.take(fourcc_bytes);
    if (!code) return false;
    const auto text = as_text(*code);
    const std::span<const FourCc> codes = is_video_ ? std::span<const FourCc>(video_codes) : audio_codes;
    const auto known = std::ranges::find(codes, text, &FourCc::code);
    if (known == codes.end()) {
      packet.unsupported = enhanced_name(text);
    } else {
      packet.codec = known->codec;
    }
    return true;
  }

  ByteCursor in_;
  unsigned type_;
  const bool is_video_;
};

std::int32_t signed_24(ByteSpan bytes) {
  const auto value = static_cast<std::int32_t>(load_be(bytes, composition_bytes));
  return value >= 0x800000 ? value - 0x1000000 : value;
}

/// What lies behind the codec of a video packet. False: malformed.
bool finish_video(FlvPacket& packet, unsigned type, ByteCursor& in) {
  if (!packet.unsupported.empty()) return true;
  switch (type) {
    case sequence_start:
      packet.kind = Kind::config;
      break;
    case frames:
      packet.kind = Kind::media;
      if (packet.codec == Codec::avc || packet.codec == Codec::hevc) {
        const auto composition = in.take(composition_bytes);
        if (!composition) return false;
        packet.composition_ms = signed_24(*composition);
      }
      break;
    case frames_without_composition:
      packet.kind = Kind::media;
      break;
    case sequence_end:
    case video_metadata:
      break;
    case mpeg2_ts_start:
      packet.unsupported = "Enhanced RTMP MPEG2TSSequenceStart";
      return true;
    default:
      return false;
  }
  packet.body = in.rest();
  return true;
}

bool finish_audio(FlvPacket& packet, unsigned type, ByteCursor& in) {
  if (!packet.unsupported.empty()) return true;
  switch (type) {
    case sequence_start:
      packet.kind = Kind::config;
      break;
    case frames:
      packet.kind = Kind::media;
      break;
    case sequence_end:
    case channel_config:  // what the codec's own configuration says, once more
      break;
    default:
      return false;
  }
  packet.body = in.rest();
  return true;
}

Result<FlvPacket> read_enhanced_video(ByteSpan message) {
  const auto first = std::to_integer<unsigned>(message[0]);
  FlvPacket front, packet;
  front.sync = (first >> 4 & 7) == sync_frame;
  EnhancedReader reader(message.subspan(1), first & 0xF, true);
  if (!reader.read_modifiers(front)) return Errc::bad_tag;
  if (reader.type() != video_metadata && (first >> 4 & 7) == command_frame) return FlvPacket{};
  if (!reader.read_packets(front, packet, finish_video)) return Errc::bad_tag;
  return packet;
}

Result<FlvPacket> read_enhanced_audio(ByteSpan message) {
  FlvPacket front, packet;
  EnhancedReader reader(message.subspan(1), std::to_integer<unsigned>(message[0]) & 0xF, false);
  if (!reader.read_modifiers(front) || !reader.read_packets(front, packet, finish_audio))
    return Errc::bad_tag;
  return packet;
}

}  // namespace

Result<FlvPacket> read_video_packet(ByteSpan message) {
  constexpr std::size_t header_bytes = 5;  // frame type and codec, packet type, composition time
  const auto first = std::to_integer<unsigned>(message[0]);
  if ((first & enhanced_video) != 0) return read_enhanced_video(message);
  const auto frame_type = first >> 4, codec = first & 0xF;
  FlvPacket packet;
  if (frame_type == command_frame) return packet;
  if (codec != avc && codec != hevc) {
    packet.unsupported = video_codec_name(codec);
    return packet;
  }
  if (message.size() < header_bytes) return Errc::bad_tag;
  packet.codec = codec == avc ? Codec::avc : Codec::hevc;
  packet.sync = frame_type == sync_frame;
  const auto type = std::to_integer<unsigned>(message[1]);
  if (type == sequence_header) packet.kind = Kind::config;
  if (type == coded_frames) {
    packet.kind = Kind::media;
    packet.composition_ms = signed_24(message.subspan(2));
  }
  packet.body = message.subspan(header_bytes);
  return packet;
}

Result<FlvPacket> read_audio_packet(ByteSpan message) {
  const auto format = std::to_integer<unsigned>(message[0]) >> 4;
  if (format == enhanced) return read_enhanced_audio(message);
  FlvPacket packet;
  if (format == mp3 || format == mp3_8k) {
    packet.kind = Kind::media;
    packet.codec = Codec::mp3;
    packet.body = message.subspan(1);
    return packet;
  }
  if (format != aac) {
    packet.unsupported = audio_codec_name(format);
    return packet;
  }
  constexpr std::size_t header_bytes = 2;
  if (message.size() < header_bytes) return Errc::bad_tag;
  const auto type = std::to_integer<unsigned>(message[1]);
  if (type != sequence_header && type != coded_frames) return Errc::bad_tag;
  packet.kind = type == sequence_header ? Kind::config : Kind::media;
  packet.codec = Codec::aac;
  packet.body = message.subspan(header_bytes);
  return packet;
}

}  // namespace lookback::server::rtmp
