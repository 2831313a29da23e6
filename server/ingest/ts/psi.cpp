#include "server/ingest/ts/psi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace lookback::server::ts {
namespace {

constexpr std::size_t section_header_bytes = 8, crc_bytes = 4;
constexpr unsigned pat_table = 0x00, pmt_table = 0x02;
constexpr std::size_t max_streams = 64;

enum Descriptor : unsigned {
  registration = 0x05,
  iso_639_language = 0x0a,
  dvb_teletext = 0x56,
  dvb_subtitling = 0x59,
  dvb_ac3 = 0x6a,
  dvb_eac3 = 0x7a,
  dvb_extension = 0x7f,
};
constexpr unsigned opus_extension = 0x80;

unsigned u8(ByteSpan bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }
unsigned u16(ByteSpan bytes, std::size_t at) { return u8(bytes, at) << 8 | u8(bytes, at + 1); }

/// What follows the header up to the CRC, when the table is `table` and its version is in force
/// (current_next_indicator).
std::optional<ByteSpan> body_of(ByteSpan section, unsigned table) {
  if (section.size() < section_header_bytes + crc_bytes || u8(section, 0) != table) return std::nullopt;
  const bool long_form = u8(section, 1) & 0x80, in_force = u8(section, 5) & 1;
  if (!long_form || !in_force) return std::nullopt;
  return section.subspan(section_header_bytes, section.size() - section_header_bytes - crc_bytes);
}

struct Named {
  StreamKind kind;
  std::string_view name;
};

std::optional<Named> by_type(unsigned type) {
  switch (type) {
    case 0x01:
    case 0x02:
      return Named{StreamKind::other_video, "MPEG-2 video"};
    case 0x03:
    case 0x04:
      return Named{StreamKind::mpeg_audio, "MPEG audio"};
    case 0x0f:
      return Named{StreamKind::aac, "AAC"};
    case 0x10:
      return Named{StreamKind::other_video, "MPEG-4 part 2 video"};
    case 0x11:
      return Named{StreamKind::latm, "AAC in LATM"};
    case 0x15:
      return Named{StreamKind::id3, "ID3 metadata"};
    case 0x1b:
      return Named{StreamKind::avc, "H.264"};
    case 0x24:
      return Named{StreamKind::hevc, "HEVC"};
    case 0x33:
      return Named{StreamKind::other_video, "VVC"};
    case 0x81:
      return Named{StreamKind::ac3, "AC-3"};
    case 0x86:
      return Named{StreamKind::scte35, "SCTE-35 cues"};
    case 0x87:
      return Named{StreamKind::eac3, "E-AC-3"};
    default:
      return std::nullopt;
  }
}

/// A registration descriptor's format_identifier.
std::optional<Named> by_format(std::string_view format) {
  if (format == "HEVC") return Named{StreamKind::hevc, "HEVC"};
  if (format == "AV01") return Named{StreamKind::av1, "AV1"};
  if (format == "VP09") return Named{StreamKind::other_video, "VP9"};
  if (format == "Opus") return Named{StreamKind::opus, "Opus"};
  if (format == "AC-3") return Named{StreamKind::ac3, "AC-3"};
  if (format == "EAC3") return Named{StreamKind::eac3, "E-AC-3"};
  if (format == "BSSD") return Named{StreamKind::other_audio, "SMPTE 302M audio"};
  if (format == "CUEI") return Named{StreamKind::scte35, "SCTE-35 cues"};
  if (format == "ID3 ") return Named{StreamKind::id3, "ID3 metadata"};
  return std::nullopt;
}

std::optional<Named> by_descriptor(unsigned tag, ByteSpan body) {
  switch (tag) {
    case registration:
      return body.size() >= 4 ? by_format(as_text(body.first(4))) : std::nullopt;
    case dvb_teletext:
      return Named{StreamKind::other, "teletext"};
    case dvb_subtitling:
      return Named{StreamKind::other, "DVB subtitles"};
    case dvb_ac3:
      return Named{StreamKind::ac3, "AC-3"};
    case dvb_eac3:
      return Named{StreamKind::eac3, "E-AC-3"};
    default:
      return std::nullopt;
  }
}

/// "deu" out of any case; empty when it is no language code: it goes into playlists and logs.
std::string language_of(ByteSpan body) {
  if (body.size() < 3) return {};
  std::string code(as_text(body.first(3)));
  for (auto& c : code) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c < 'a' || c > 'z') return {};
  }
  return code == "und" ? std::string() : code;
}

StreamInfo describe(std::uint16_t pid, unsigned type, ByteSpan descriptors) {
  StreamInfo info{.pid = pid, .type = static_cast<std::uint8_t>(type)};
  auto named = by_type(type);
  while (descriptors.size() >= 2) {
    const auto tag = u8(descriptors, 0);
    const auto length = std::min<std::size_t>(u8(descriptors, 1), descriptors.size() - 2);
    const auto body = descriptors.subspan(2, length);
    if (tag == iso_639_language && info.language.empty()) info.language = language_of(body);
    if (!named) named = by_descriptor(tag, body);
    if (tag == dvb_extension && length >= 2 && u8(body, 0) == opus_extension) {
      info.opus_channels = static_cast<std::uint8_t>(u8(body, 1));
    }
    descriptors = descriptors.subspan(2 + length);
  }
  info.kind = named ? named->kind : StreamKind::other;
  info.name = named ? std::string(named->name) : fmt::format("stream type 0x{:02x}", type);
  return info;
}

}  // namespace

bool is_video(StreamKind kind) {
  return kind == StreamKind::avc || kind == StreamKind::hevc || kind == StreamKind::av1 ||
         kind == StreamKind::other_video;
}

bool is_audio(StreamKind kind) {
  return kind == StreamKind::aac || kind == StreamKind::latm || kind == StreamKind::ac3 ||
         kind == StreamKind::eac3 || kind == StreamKind::opus || kind == StreamKind::mpeg_audio ||
         kind == StreamKind::other_audio;
}

std::vector<Program> parse_pat(ByteSpan section) {
  std::vector<Program> programs;
  auto body = body_of(section, pat_table);
  while (body && body->size() >= 4) {
    const Program program{static_cast<std::uint16_t>(u16(*body, 0)),
                          static_cast<std::uint16_t>(u16(*body, 2) & 0x1fff)};
    if (program.number != 0) programs.push_back(program);  // 0 is the network PID
    body = body->subspan(4);
  }
  return programs;
}

std::optional<Pmt> parse_pmt(ByteSpan section) {
  const auto body = body_of(section, pmt_table);
  if (!body || body->size() < 4) return std::nullopt;
  const std::size_t info_length = u16(*body, 2) & 0x0fff;
  if (info_length > body->size() - 4) return std::nullopt;
  Pmt pmt;
  pmt.program = static_cast<std::uint16_t>(u16(section, 3));
  pmt.version = static_cast<std::uint8_t>(u8(section, 5) >> 1 & 0x1f);
  auto rest = body->subspan(4 + info_length);
  while (rest.size() >= 5 && pmt.streams.size() < max_streams) {
    const std::size_t length = u16(rest, 3) & 0x0fff;
    if (length > rest.size() - 5) return std::nullopt;
    const auto pid = static_cast<std::uint16_t>(u16(rest, 1) & 0x1fff);
    pmt.streams.push_back(describe(pid, u8(rest, 0), rest.subspan(5, length)));
    rest = rest.subspan(5 + length);
  }
  return pmt;
}

}  // namespace lookback::server::ts
