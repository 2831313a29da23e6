#include "server/ingest/ts/pes.hpp"

namespace lookback::server::ts {
namespace {

constexpr std::size_t fixed_bytes = 6, flags_end = 9, timestamp_bytes = 5;

/// A PES packet this long may be the first of several for one picture: the length field has 16 bits.
constexpr std::size_t may_go_on_bytes = 65'000;

unsigned u8(ByteSpan bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

/// Stream ids whose packets have no such header (2.4.3.7): maps, padding, private_stream_2, ECM, EMM and the
/// like.
bool has_media(unsigned stream_id) {
  switch (stream_id) {
    case 0xbc:
    case 0xbe:
    case 0xbf:
    case 0xf0:
    case 0xf1:
    case 0xf2:
    case 0xf8:
    case 0xff:
      return false;
    default:
      return stream_id >= 0xbc;
  }
}

/// Five bytes: a prefix of four bits, and 3, 15 and 15 bits of time with a marker bit behind each.
std::optional<std::uint64_t> parse_timestamp(ByteSpan bytes, unsigned prefix) {
  if (u8(bytes, 0) >> 4 != prefix) return std::nullopt;
  if (!(u8(bytes, 0) & u8(bytes, 2) & u8(bytes, 4) & 1)) return std::nullopt;
  return std::uint64_t{u8(bytes, 0) >> 1 & 7} << 30 | std::uint64_t{u8(bytes, 1)} << 22 |
         std::uint64_t{u8(bytes, 2) >> 1} << 15 | std::uint64_t{u8(bytes, 3)} << 7 | u8(bytes, 4) >> 1;
}

}  // namespace

std::optional<PesHeader> parse_pes_header(ByteSpan bytes) {
  if (bytes.size() < flags_end || u8(bytes, 0) != 0 || u8(bytes, 1) != 0 || u8(bytes, 2) != 1) {
    return std::nullopt;
  }
  if (!has_media(u8(bytes, 3)) || u8(bytes, 6) >> 6 != 2) return std::nullopt;
  PesHeader header;
  header.header_bytes = flags_end + u8(bytes, 8);
  if (header.header_bytes > bytes.size()) return std::nullopt;
  if (const std::size_t length = u8(bytes, 4) << 8 | u8(bytes, 5); length != 0) {
    if (length + fixed_bytes <= header.header_bytes) return std::nullopt;
    header.payload_bytes = length + fixed_bytes - header.header_bytes;
  }
  const auto timestamps = u8(bytes, 7) >> 6;  // PTS_DTS_flags
  if (timestamps == 0) return header;
  if (timestamps == 1) return std::nullopt;
  const bool both = timestamps == 3;
  if (header.header_bytes < flags_end + timestamp_bytes * (both ? 2 : 1)) return std::nullopt;
  header.pts = parse_timestamp(bytes.subspan(flags_end), timestamps);
  header.dts = both ? parse_timestamp(bytes.subspan(flags_end + timestamp_bytes), 1) : header.pts;
  if (!header.pts || !header.dts) return std::nullopt;
  return header;
}

bool PesReader::begin(const std::optional<PesHeader>& header, const Packet& packet) {
  if (!header) {
    ++damaged_;
    return false;
  }
  header_ = *header;
  random_access_ = packet.random_access;
  collecting_ = true;
  return true;
}

void PesReader::append(ByteSpan bytes) {
  if (!collecting_) return;
  if (unit_.size() + bytes.size() > max_bytes_) return lose();
  unit_.insert(unit_.end(), bytes.begin(), bytes.end());
}

void PesReader::lose() {
  if (!collecting_) return;
  ++damaged_;
  collecting_ = false;
  unit_.clear();
}

bool PesReader::is_complete() const {
  if (!collecting_ || header_.payload_bytes == 0 || unit_.size() < header_.payload_bytes) return false;
  return !joins_ || header_.payload_bytes < may_go_on_bytes;
}

}  // namespace lookback::server::ts
