#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Transport streams written field by field after ISO/IEC 13818-1, for tests.
namespace lookback::support {

inline std::string bytes_of(std::initializer_list<unsigned> values) {
  std::string out;
  for (const auto value : values) out.push_back(static_cast<char>(value));
  return out;
}

/// Annex A, bit by bit: another way than the product's.
inline std::uint32_t slow_crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool in = static_cast<unsigned char>(c) >> bit & 1, out = crc >> 31;
      crc = crc << 1 ^ (in != out ? 0x04c11db7u : 0u);
    }
  }
  return crc;
}

class TsWriter {
 public:
  struct Stream {
    unsigned type, pid;
    std::string language = {}, format = {};
  };

  /// program_number and PMT PID of each program.
  void pat(const std::vector<std::pair<unsigned, unsigned>>& programs = {{1, 0x1000}}, unsigned version = 0) {
    std::string body;
    for (const auto& [number, pid] : programs) {
      body += bytes_of({number >> 8, number & 0xff, 0xe0 | pid >> 8, pid & 0xff});
    }
    table(0, section(0x00, 1, version, body));
  }

  void pmt(const std::vector<Stream>& streams, unsigned version = 0, unsigned pid = 0x1000,
           unsigned program = 1) {
    std::string body = bytes_of({0xe0 | streams.front().pid >> 8, streams.front().pid & 0xff, 0xf0, 0});
    for (const auto& stream : streams) {
      std::string info;
      if (!stream.language.empty()) info += bytes_of({0x0a, 4}) + stream.language + bytes_of({0});
      if (!stream.format.empty()) info += bytes_of({0x05, 4}) + stream.format;
      body += bytes_of({stream.type, 0xe0 | stream.pid >> 8, stream.pid & 0xff, 0xf0,
                        static_cast<unsigned>(info.size())}) +
              info;
    }
    table(pid, section(0x02, program, version, body));
  }

  /// One PES packet with its timestamps in 90 kHz, of which 33 bits are written.
  void pes(unsigned pid, std::string_view payload, std::optional<std::uint64_t> pts,
           std::optional<std::uint64_t> dts = {}, bool bounded = false, unsigned stream_id = 0xe0) {
    std::string times;
    if (pts) times += timestamp(dts ? 3 : 2, *pts);
    if (dts) times += timestamp(1, *dts);
    const auto flags = pts ? (dts ? 0xc0u : 0x80u) : 0u;
    const auto length = bounded ? static_cast<unsigned>(3 + times.size() + payload.size()) : 0u;
    packets(pid, bytes_of({0, 0, 1, stream_id, length >> 8, length & 0xff, 0x80, flags,
                           static_cast<unsigned>(times.size())}) +
                     times + std::string(payload));
  }

  /// A payload cut into packets, the last filled up by its adaptation field.
  void packets(unsigned pid, std::string_view payload) {
    for (bool first = true; first || !payload.empty(); first = false) {
      const auto part = payload.substr(0, 184);
      payload.remove_prefix(part.size());
      packet(pid, part, first);
    }
  }

  void packet(unsigned pid, std::string_view payload, bool unit_start) {
    const auto stuffing = 184 - payload.size();
    bytes += bytes_of({0x47, (unit_start ? 0x40u : 0u) | pid >> 8, pid & 0xff,
                       (stuffing > 0 ? 0x30u : 0x10u) | counters[pid]++ % 16});
    if (stuffing > 0) bytes += static_cast<char>(stuffing - 1);
    if (stuffing > 1) bytes += '\0' + std::string(stuffing - 2, '\xff');
    bytes += payload;
  }

  std::string bytes;
  std::map<unsigned, unsigned> counters;  ///< the next continuity_counter of each PID

 private:
  static std::string timestamp(unsigned prefix, std::uint64_t value) {
    const auto part = [&](unsigned shift, unsigned mask) {
      return static_cast<unsigned>(value >> shift) & mask;
    };
    return bytes_of({prefix << 4 | part(30, 7) << 1 | 1, part(22, 0xff), part(15, 0x7f) << 1 | 1,
                     part(7, 0xff), part(0, 0x7f) << 1 | 1});
  }

  static std::string section(unsigned table_id, unsigned extension, unsigned version,
                             const std::string& body) {
    const auto length = static_cast<unsigned>(body.size() + 9);
    auto out = bytes_of({table_id, 0xb0 | length >> 8, length & 0xff, extension >> 8, extension & 0xff,
                         0xc1 | version << 1, 0, 0}) +
               body;
    const auto crc = slow_crc32(out);
    return out + bytes_of({crc >> 24, crc >> 16 & 0xff, crc >> 8 & 0xff, crc & 0xff});
  }

  void table(unsigned pid, const std::string& section) {
    auto payload = std::string(1, '\0') + section;
    payload += std::string((184 - payload.size() % 184) % 184, '\xff');
    packets(pid, payload);
  }
};

// --- media that the parsers take --------------------------------------------------------------------

constexpr unsigned video_pid = 0x100, audio_pid = 0x101;

inline std::string start_code() { return bytes_of({0, 0, 0, 1}); }
/// SPS and PPS of tests/media/sintel_270p24_videoonly.mp4: High, 480x270.
inline std::string sps_270p() {
  return bytes_of({0x67, 0x64, 0x00, 0x15, 0xac, 0xd9, 0x81, 0xe0, 0x8f, 0xea, 0x10, 0x00, 0x00,
                   0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x00, 0xf1, 0x62, 0xd9, 0xa0});
}
inline std::string pps_270p() { return bytes_of({0x68, 0xe9, 0x78, 0x54, 0xb2, 0x2c}); }
/// ... and of sintel_360p24_gop2.mp4: High, 640x360.
inline std::string sps_360p() {
  return bytes_of({0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x80, 0xa0, 0x2f, 0xf9, 0x61, 0x00, 0x00,
                   0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x30, 0x0f, 0x16, 0x2d, 0x9a});
}
inline std::string pps_360p() { return bytes_of({0x68, 0xe9, 0x78, 0x44, 0xb2, 0x2c}); }

inline std::string delimiter() { return start_code() + bytes_of({0x09, 0xf0}); }
/// A picture with a delimiter, as it comes in a PES packet.
inline std::string key_picture(const std::string& text, const std::string& sps = sps_270p(),
                               const std::string& pps = pps_270p()) {
  return delimiter() + start_code() + sps + start_code() + pps + start_code() + bytes_of({0x65}) + text;
}
inline std::string picture(const std::string& text) {
  return delimiter() + start_code() + bytes_of({0x41}) + text;
}
/// As it should come out: one NAL unit behind its length in four bytes.
inline std::string in_sample(unsigned nal_header, const std::string& text) {
  const auto size = static_cast<unsigned>(text.size() + 1);
  return bytes_of({size >> 24, size >> 16 & 0xff, size >> 8 & 0xff, size & 0xff, nal_header}) + text;
}

/// An ADTS frame of AAC-LC at 48 kHz, or the rate of another index (3 is 48,000, 4 is 44,100).
inline std::string adts(const std::string& text, unsigned rate_index = 3, unsigned channels = 2) {
  const auto length = static_cast<unsigned>(7 + text.size());
  return bytes_of({0xff, 0xf1, 0x40 | rate_index << 2 | channels >> 2, (channels & 3) << 6 | length >> 11,
                   length >> 3 & 0xff, (length & 7) << 5 | 0x1f, 0xfc}) +
         text;
}

}  // namespace lookback::support
