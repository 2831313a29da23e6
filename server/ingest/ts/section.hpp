#pragma once
#include <cstdint>
#include <vector>

#include "server/ingest/ts/packet.hpp"

namespace lookback::server::ts {

/// CRC of sections (ISO/IEC 13818-1 annex A); 0 over a section with its own CRC.
std::uint32_t crc32_mpeg(ByteSpan bytes);

/// Puts the sections of a PID together (2.4.4). Holds at most one section, of 1,024 bytes where nothing else
/// is said, the longest that a PAT or PMT may have; one that claims more is left out. Belongs to its
/// session's thread.
class SectionReader {
 public:
  explicit SectionReader(std::size_t max_bytes = 1'024) : max_bytes_(max_bytes) {}

  /// Calls `done(ByteSpan section)` for each section that is whole now and whose CRC holds.
  template <class Done>
  void push(const Packet& packet, Done&& done) {
    auto payload = packet.payload;
    if (packet.unit_start) {
      if (payload.empty()) return;
      const auto pointer = std::to_integer<std::size_t>(payload[0]);
      payload = payload.subspan(1);
      if (pointer > payload.size()) return lose();
      append(payload.first(pointer), done);
      section_.clear();
      payload = payload.subspan(pointer);
      started_ = true;
    }
    append(payload, done);
  }

  /// A packet of this PID is missing: what has begun is of no use.
  void lose() {
    section_.clear();
    started_ = false;
  }

  std::uint64_t damaged() const { return damaged_; }

 private:
  template <class Done>
  void append(ByteSpan bytes, Done&& done) {
    while (started_ && !bytes.empty()) {
      bytes = bytes.subspan(fill(bytes));
      if (!is_whole()) continue;
      if (crc32_mpeg(section_) == 0) {
        done(ByteSpan(section_));
      } else {
        ++damaged_;
      }
      section_.clear();
    }
  }
  /// Takes what belongs to the section in hand; how many bytes that is. Ends the search at stuffing.
  std::size_t fill(ByteSpan bytes);
  bool is_whole() const;

  std::size_t max_bytes_;
  std::vector<std::byte> section_;
  bool started_ = false;
  std::uint64_t damaged_ = 0;
};

}  // namespace lookback::server::ts
