#include "tests/support/spliced_ts.hpp"

#include <optional>
#include <stdexcept>
#include <string_view>

namespace lookback::support {
namespace {

constexpr std::size_t packet_bytes = 188, crc_bytes = 4;
constexpr unsigned pmt_pid = 0x1000, video_pid = 0x100, cue_pid = 0x1f0;  // FFmpeg's first two

unsigned u8(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

/// ISO/IEC 13818-1 annex A, bit by bit.
std::string crc_of(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 24;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7u : 0u);
  }
  std::string out;
  for (unsigned shift = 32; shift > 0; shift -= 8) out.push_back(static_cast<char>(crc >> (shift - 8)));
  return out;
}

class Bits {
 public:
  Bits& u(unsigned count, std::uint64_t value) {
    for (unsigned i = count; i-- > 0;) {
      if (used_++ % 8 == 0) bytes_.push_back('\0');
      bytes_.back() = static_cast<char>(u8(bytes_, bytes_.size() - 1) << 1 | (value >> i & 1));
    }
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
  unsigned used_ = 0;
};

unsigned pid_of(std::string_view packet) { return (u8(packet, 1) & 0x1f) << 8 | u8(packet, 2); }

std::size_t payload_at(std::string_view packet) {
  return u8(packet, 3) & 0x20 ? 5 + std::size_t{u8(packet, 4)} : 4;
}

/// Of a packet that begins a picture.
std::optional<std::uint64_t> pts_of(std::string_view packet) {
  if (pid_of(packet) != video_pid || !(u8(packet, 1) & 0x40)) return std::nullopt;
  const auto time = packet.substr(payload_at(packet) + 9, 5);
  return std::uint64_t{u8(time, 0) >> 1 & 7} << 30 | u8(time, 1) << 22 | (u8(time, 2) >> 1) << 15 |
         u8(time, 3) << 7 | u8(time, 4) >> 1;
}

/// One PMT in one packet, with one more stream.
std::string with_cue_pid(std::string_view packet) {
  const auto begin = payload_at(packet) + 1 + u8(packet, payload_at(packet));
  auto section =
      std::string(packet.substr(begin, 3 + ((u8(packet, begin + 1) & 0x0f) << 8 | u8(packet, begin + 2))));
  section.resize(section.size() - crc_bytes);
  section += Bits().u(8, 0x86).u(3, 7).u(13, cue_pid).u(4, 15).u(12, 0).take();
  section[2] = static_cast<char>(section.size() + crc_bytes - 3);
  section += crc_of(section);
  auto out = std::string(packet.substr(0, begin)) + section;
  if (out.size() > packet_bytes) throw std::runtime_error("the PMT does not fit in a packet");
  return out + std::string(packet_bytes - out.size(), '\xff');
}

std::string cue_packet(const std::string& section, unsigned counter) {
  auto out = Bits().u(8, 0x47).u(3, 2).u(13, cue_pid).u(4, 1).u(4, counter % 16).u(8, 0).take() + section;
  if (out.size() > packet_bytes) throw std::runtime_error("the section does not fit in a packet");
  return out + std::string(packet_bytes - out.size(), '\xff');
}

}  // namespace

std::string splice_insert(std::uint32_t event, bool out, std::uint64_t pts, std::uint64_t duration) {
  Bits command;
  command.u(32, event).u(1, 0).u(7, 127);
  command.u(1, out).u(1, 1).u(1, duration > 0).u(1, 0).u(4, 15);  // the whole programme, not at once
  command.u(1, 1).u(6, 63).u(33, pts);
  if (duration > 0) command.u(1, 1).u(6, 63).u(33, duration);
  command.u(16, 1).u(8, 0).u(8, 0);
  const auto body = command.take();
  const auto length = 11 + body.size() + 2 + crc_bytes;
  auto section = Bits()
                     .u(8, 0xfc)
                     .u(4, 3)
                     .u(12, length)
                     .u(8, 0)
                     .u(7, 0)
                     .u(33, 0)
                     .u(8, 0)
                     .u(12, 0xfff)
                     .u(12, body.size())
                     .u(8, 5)
                     .take() +
                 body + std::string(2, '\0');
  return section + crc_of(section);
}

std::string with_splices(const std::string& stream,
                         std::vector<std::pair<std::uint64_t, std::string>> sections) {
  std::string out;
  unsigned counter = 0;
  for (std::size_t at = 0; at + packet_bytes <= stream.size(); at += packet_bytes) {
    const auto packet = std::string_view(stream).substr(at, packet_bytes);
    const auto pts = pts_of(packet);
    while (pts && counter < sections.size() && sections[counter].first <= *pts) {
      out += cue_packet(sections[counter].second, counter);
      ++counter;
    }
    out += pid_of(packet) == pmt_pid ? with_cue_pid(packet) : std::string(packet);
  }
  return out;
}

std::uint64_t first_pts(const std::string& stream) {
  for (std::size_t at = 0; at + packet_bytes <= stream.size(); at += packet_bytes) {
    if (const auto pts = pts_of(std::string_view(stream).substr(at, packet_bytes))) return *pts;
  }
  throw std::runtime_error("no picture in this stream");
}

}  // namespace lookback::support
