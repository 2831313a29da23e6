#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/bytes.hpp"

/// RTMP bytes as a peer would write them, composed by hand from the specifications, so that tests do not rest
/// on our own encoders.
namespace lookback::support::wire {

inline std::string be(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

inline std::string le32(std::uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

// AMF0 (Adobe, "AMF 0 File Format", 2.2 and following): a marker byte, then the value.
inline std::string amf_number(double value) {
  std::uint64_t bits = 0;
  static_assert(sizeof(bits) == sizeof(value));
  std::memcpy(&bits, &value, sizeof(bits));
  return std::string(1, '\0') + be(bits, 8);
}
inline std::string amf_boolean(bool value) { return std::string{'\1', value ? '\1' : '\0'}; }
inline std::string amf_string(std::string_view text) { return "\2" + be(text.size(), 2) + std::string(text); }
inline std::string amf_null() { return "\5"; }
inline std::string amf_property(std::string_view name, const std::string& value) {
  return be(name.size(), 2) + std::string(name) + value;
}
inline std::string amf_object_end() { return std::string{'\0', '\0', '\x9'}; }
inline std::string amf_object(const std::string& properties) { return "\3" + properties + amf_object_end(); }

/// One chunk with a full header (fmt 0, RTMP 1.0 5.3.1.2.1); csid 2 to 63.
inline std::string chunk0(unsigned csid, std::uint32_t time, std::size_t length, unsigned type,
                          std::uint32_t stream_id, std::string_view payload) {
  const bool extended = time >= 0xffffff;
  return std::string(1, static_cast<char>(csid)) + be(extended ? 0xffffff : time, 3) + be(length, 3) +
         std::string(1, static_cast<char>(type)) + le32(stream_id) +
         (extended ? be(time, 4) : std::string()) + std::string(payload);
}

/// A whole message in chunks of `chunk_size`, continued by fmt 3.
inline std::string message(unsigned csid, std::uint32_t time, unsigned type, std::uint32_t stream_id,
                           const std::string& payload, std::size_t chunk_size = 128) {
  auto out = chunk0(csid, time, payload.size(), type, stream_id, payload.substr(0, chunk_size));
  for (std::size_t at = chunk_size; at < payload.size(); at += chunk_size) {
    out.push_back(static_cast<char>(0xc0 | csid));
    if (time >= 0xffffff) out += be(time, 4);
    out += payload.substr(at, chunk_size);
  }
  return out;
}

inline std::string command(std::string_view name, double transaction, const std::string& rest,
                           std::uint32_t stream_id = 0) {
  return message(3, 0, 20, stream_id, amf_string(name) + amf_number(transaction) + rest);
}

inline std::string handshake() {  // C0, C1 with a zero version, C2
  std::string c1(1536, '\x5a');
  for (int i = 4; i < 8; ++i) c1[i] = 0;
  return "\3" + c1 + c1;
}

inline std::string connect(std::string_view app, std::string_view tc_url = "rtmp://127.0.0.1/live") {
  return command("connect", 1,
                 amf_object(amf_property("app", amf_string(app)) +
                            amf_property("flashVer", amf_string("FMLE/3.0 (test)")) +
                            amf_property("tcUrl", amf_string(tc_url))));
}
inline std::string create_stream() { return command("createStream", 4, amf_null()); }
inline std::string publish(std::string_view name, std::uint32_t stream_id = 1) {
  return command("publish", 5, amf_null() + amf_string(name) + amf_string("live"), stream_id);
}
/// Everything up to media, for the stream "live/NAME".
inline std::string opening(std::string_view name) {
  return handshake() + connect("live") + create_stream() + publish(name);
}

/// The decoder configuration of tests/media/sintel_360p24_gop2.mp4, as `ffprobe -show_data -show_streams`
/// prints it.
inline std::string avc_config() {
  constexpr unsigned char bytes[] = {0x01, 0x64, 0x00, 0x1e, 0xff, 0xe1, 0x00, 0x19, 0x67, 0x64, 0x00, 0x1e,
                                     0xac, 0xd9, 0x80, 0xa0, 0x2f, 0xf9, 0x61, 0x00, 0x00, 0x03, 0x00, 0x01,
                                     0x00, 0x00, 0x03, 0x00, 0x30, 0x0f, 0x16, 0x2d, 0x9a, 0x01, 0x00, 0x06,
                                     0x68, 0xe9, 0x78, 0x44, 0xb2, 0x2c, 0xfd, 0xf8, 0xf8, 0x00};
  return std::string(reinterpret_cast<const char*>(bytes), sizeof(bytes));
}
/// The hvcC of the same film, encoded by libx265 3.5 (640x360), without its SEI.
inline std::string hevc_config() {
  constexpr unsigned char bytes[] = {
      0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3f, 0xf0, 0x00, 0xfc,
      0xfd, 0xf8, 0xf8, 0x00, 0x00, 0x0f, 0x03, 0x20, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01, 0x0c, 0x01,
      0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
      0x3f, 0x95, 0x90, 0x09, 0x21, 0x00, 0x01, 0x00, 0x2b, 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00,
      0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3f, 0xa0, 0x05, 0x02, 0x01, 0x71,
      0xf2, 0xe5, 0x95, 0x91, 0x29, 0x30, 0xb9, 0xa7, 0x08, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00,
      0x03, 0x00, 0xc0, 0x40, 0x22, 0x00, 0x01, 0x00, 0x06, 0x44, 0x01, 0xc0, 0x73, 0xc1, 0x89};
  return std::string(reinterpret_cast<const char*>(bytes), sizeof(bytes));
}
/// The AudioSpecificConfig of the same file.
inline std::string aac_config() { return "\x11\x90\x56\xe5" + std::string(1, '\0'); }

// FLV tag bodies (Adobe Flash Video File Format 10.1, E.4.2 and E.4.3).
inline std::string avc_header() { return std::string{'\x17', '\0', '\0', '\0', '\0'} + avc_config(); }
inline std::string avc_frame(const std::string& nal_units, bool key = false,
                             std::int32_t composition_ms = 0) {
  return std::string{key ? '\x17' : '\x27', '\1'} +
         be(static_cast<std::uint32_t>(composition_ms) & 0xffffff, 3) + nal_units;
}
inline std::string nal_unit(const std::string& bytes) { return be(bytes.size(), 4) + bytes; }
inline std::string aac_header() { return std::string{'\xaf', '\0'} + aac_config(); }
inline std::string aac_frame(const std::string& bytes) { return std::string{'\xaf', '\1'} + bytes; }

inline std::string video(std::uint32_t time, const std::string& tag, std::size_t chunk_size = 128) {
  return message(6, time, 9, 1, tag, chunk_size);
}
inline std::string audio(std::uint32_t time, const std::string& tag, std::size_t chunk_size = 128) {
  return message(4, time, 8, 1, tag, chunk_size);
}
inline std::string metadata() {
  return message(5, 0, 18, 1,
                 amf_string("@setDataFrame") + amf_string("onMetaData") + "\x8" + be(2, 4) +
                     amf_property("width", amf_number(640)) +
                     amf_property("encoder", amf_string("Lavf59.27.100")) + amf_object_end());
}

/// A short publication with everything a real one has: 2 tracks, 12 video and 20 audio frames.
inline std::string session(std::string_view name) {
  auto out = opening(name) + metadata() + video(0, avc_header()) + audio(0, aac_header());
  for (std::uint32_t i = 0; i < 12; ++i) {
    const std::string slice(i % 6 == 0 ? 700 : 150, static_cast<char>('a' + i));
    out += video(i * 40, avc_frame(nal_unit((i % 6 == 0 ? '\x65' : '\x41') + slice), i % 6 == 0, 80));
  }
  for (std::uint32_t i = 0; i < 20; ++i)
    out += audio(i * 23, aac_frame(std::string(100, static_cast<char>(i))));
  return out + command("FCUnpublish", 6, amf_null() + amf_string(name)) +
         command("deleteStream", 7, amf_null() + amf_number(1));
}

// Enhanced RTMP v2, "ExVideoTagHeader" and "ExAudioTagHeader".
enum Enhanced : unsigned {
  sequence_start = 0,
  coded_frames = 1,
  coded_frames_x = 3,
  video_multitrack = 6,
  mod_ex = 7
};
inline std::string enhanced_video(unsigned type, bool key = true) {
  return std::string(1, static_cast<char>(0x80 | (key ? 1 : 2) << 4 | type));
}
inline std::string enhanced_audio(unsigned type) { return std::string(1, static_cast<char>(0x90 | type)); }
/// ModEx in front of a packet of `type`: data, and the modifier's number (0: nanoseconds).
inline std::string modifier(unsigned type, const std::string& data, unsigned number = 0) {
  const auto size = data.size() <= 255 ? be(data.size() - 1, 1) : "\xff" + be(data.size() - 1, 2);
  return size + data + std::string(1, static_cast<char>(number << 4 | type));
}
/// One track of a multitrack message with sizes.
inline std::string track(unsigned id, const std::string& body) {
  return std::string(1, static_cast<char>(id)) + be(body.size(), 3) + body;
}

/// A whole session of HEVC and Opus, with modifiers and multitrack messages.
inline std::string enhanced_session(std::string_view name) {
  auto out =
      handshake() +
      command("connect", 1,
              amf_object(amf_property("app", amf_string("live")) + amf_property("capsEx", amf_number(15)))) +
      create_stream() + publish(name) + video(0, enhanced_video(sequence_start) + "hvc1" + hevc_config()) +
      audio(0, enhanced_audio(sequence_start) + "Opus");
  for (std::uint32_t i = 0; i < 12; ++i) {
    const bool key = i % 6 == 0;
    const auto unit =
        nal_unit((key ? "\x26\x01" : "\x02\x01") + std::string(key ? 700 : 150, static_cast<char>('a' + i)));
    const auto many =
        enhanced_video(video_multitrack, key) + std::string(1, '\x11') + "hvc1" + track(0, be(80, 3) + unit);
    const auto exact =
        enhanced_video(mod_ex, key) + modifier(coded_frames_x, be(i * 1'000, 3)) + "hvc1" + unit;
    out += video(i * 40, i % 2 == 0 ? many : exact);
  }
  for (std::uint32_t i = 0; i < 20; ++i) {
    out += audio(i * 20, enhanced_audio(mod_ex) + modifier(coded_frames, be(500, 3)) + "Opus\xf8" +
                             std::string(100, static_cast<char>(i)));
  }
  return out + command("deleteStream", 7, amf_null() + amf_number(1));
}

/// Two audio tracks of one connection, English and German by the metadata, and a frame of the second.
inline std::string multitrack_session(std::string_view name) {
  constexpr unsigned audio_multitrack = 5;
  const auto language = [](const char* code) {
    return amf_object(amf_property("language", amf_string(code)));
  };
  const auto second = [&](unsigned type) {
    return enhanced_audio(audio_multitrack) + std::string(1, static_cast<char>(type)) + "mp4a\1";
  };
  const auto info = amf_object(amf_property("0", language("eng")) + amf_property("1", language("deu")));
  return opening(name) +
         message(5, 0, 18, 1,
                 amf_string("@setDataFrame") + amf_string("onMetaData") + "\x8" + be(1, 4) +
                     amf_property("audioTrackIdInfoMap", info) + amf_object_end()) +
         audio(0, enhanced_audio(sequence_start) + "mp4a" + aac_config()) +
         audio(0, second(sequence_start) + aac_config()) + audio(20, second(coded_frames) + "\x21\x10");
}

}  // namespace lookback::support::wire
