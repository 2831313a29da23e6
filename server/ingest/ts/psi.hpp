#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/base/bytes.hpp"

namespace lookback::server::ts {

/// What an elementary stream holds, as far as it makes a difference here.
enum class StreamKind : std::uint8_t {
  avc,
  hevc,
  av1,
  other_video,
  aac,   ///< in ADTS
  latm,  ///< AAC in LATM
  ac3,
  eac3,
  opus,
  mpeg_audio,
  other_audio,
  scte35,
  id3,
  other,  ///< subtitles, teletext, private data
};

struct StreamInfo {
  std::uint16_t pid = 0;
  std::uint8_t type = 0;  ///< stream_type (ISO/IEC 13818-1 table 2-34)
  StreamKind kind = StreamKind::other;
  std::string name = {};           ///< for people: "H.264 video", "SCTE-35 cues", "stream type 0x85"
  std::string language = {};       ///< ISO 639-2, three lower-case letters; empty: not told
  std::uint8_t opus_channels = 2;  ///< channel_config_code of an Opus audio descriptor

  bool operator==(const StreamInfo&) const = default;
};

struct Program {
  std::uint16_t number = 0;
  std::uint16_t pmt_pid = 0;
};

bool is_video(StreamKind kind);
bool is_audio(StreamKind kind);

/// The programs of a PAT section that is in force (2.4.4.3); empty: it is none. `section` has a good CRC.
std::vector<Program> parse_pat(ByteSpan section);

/// A PMT section that is in force (2.4.4.8).
struct Pmt {
  std::uint16_t program = 0;
  std::uint8_t version = 0;
  std::vector<StreamInfo> streams;  ///< at most 64
};

/// Empty: `section` is no PMT in force, or cut short. `section` has a good CRC.
std::optional<Pmt> parse_pmt(ByteSpan section);

}  // namespace lookback::server::ts
