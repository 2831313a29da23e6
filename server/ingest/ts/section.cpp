#include "server/ingest/ts/section.hpp"

#include <array>

namespace lookback::server::ts {
namespace {

constexpr std::size_t length_end = 3;  // table_id and section_length
constexpr std::byte stuffing{0xff};

constexpr std::array<std::uint32_t, 256> crc_table() {
  constexpr std::uint32_t polynomial = 0x04c11db7;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    auto value = i << 24;
    for (int bit = 0; bit < 8; ++bit) value = value << 1 ^ (value >> 31 ? polynomial : 0);
    table[i] = value;
  }
  return table;
}

constexpr std::size_t crc_bytes = 4;

bool plausible(std::size_t section_bytes, std::size_t max_bytes) {
  return section_bytes > length_end + crc_bytes && section_bytes <= max_bytes;
}

/// With its first three bytes; `section` has them.
std::size_t declared_bytes(const std::vector<std::byte>& section) {
  return length_end +
         ((std::to_integer<std::size_t>(section[1]) & 0x0f) << 8 | std::to_integer<std::size_t>(section[2]));
}

}  // namespace

std::uint32_t crc32_mpeg(ByteSpan bytes) {
  static constexpr auto table = crc_table();
  std::uint32_t crc = 0xffffffff;
  for (const auto byte : bytes) crc = crc << 8 ^ table[crc >> 24 ^ std::to_integer<std::uint32_t>(byte)];
  return crc;
}

std::size_t SectionReader::fill(ByteSpan bytes) {
  if (section_.empty() && bytes[0] == stuffing) {  // nothing else up to the packet's end
    started_ = false;
    return bytes.size();
  }
  const auto wanted = section_.size() < length_end ? length_end : declared_bytes(section_);
  const auto count = std::min(bytes.size(), wanted - section_.size());
  section_.insert(section_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  if (section_.size() == length_end && !plausible(declared_bytes(section_), max_bytes_)) {
    ++damaged_;
    lose();
    return bytes.size();
  }
  return count;
}

bool SectionReader::is_whole() const {
  return section_.size() > length_end && section_.size() == declared_bytes(section_);
}

}  // namespace lookback::server::ts
