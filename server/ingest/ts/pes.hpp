#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "server/ingest/ts/packet.hpp"

namespace lookback::server::ts {

/// The front of a PES packet (ISO/IEC 13818-1 2.4.3.6).
struct PesHeader {
  std::size_t header_bytes = 0;
  std::size_t payload_bytes = 0;          ///< 0: up to the next PES packet, which only video may do
  std::optional<std::uint64_t> pts, dts;  ///< 33 bits of 90 kHz; both or neither
};

/// Empty: no PES packet with media, a broken marker bit, or a header that goes on in another packet.
std::optional<PesHeader> parse_pes_header(ByteSpan bytes);

/// One PES packet's media; valid while its sink runs.
struct PesUnit {
  std::optional<std::uint64_t> pts, dts;
  bool random_access = false;
  ByteSpan payload;
};

/// Puts the PES packets of one PID together, in a buffer that grows with what has come, up to a bound. A
/// unit with a packet missing, with fewer bytes than it declared or above the bound is counted and left
/// out: never given out as good. Belongs to its session's thread.
class PesReader {
 public:
  /// `joins`: a PES packet without a timestamp goes on with the unit before it, as video does where one
  /// picture does not fit; else it is a unit of its own, as in audio.
  PesReader(std::size_t max_bytes, bool joins) : max_bytes_(max_bytes), joins_(joins) {}

  /// Calls `sink(const PesUnit&)` for each unit that is whole now.
  template <class Sink>
  void push(const Packet& packet, Sink&& sink) {
    ends_stuffed_ = packet.stuffed;
    if (packet.unit_start) {
      const auto header = parse_pes_header(packet.payload);
      if (joins_ && collecting_ && header && !header->pts) {
        header_.payload_bytes = 0;  // known with the next timestamp
        return append(packet.payload.subspan(header->header_bytes));
      }
      finish(sink);
      if (!begin(header, packet)) return;
      append(packet.payload.subspan(header->header_bytes));
    } else {
      append(packet.payload);
    }
    if (is_complete()) finish(sink);
  }

  /// A packet of this PID is missing.
  void lose();

  /// What has come is all there is: the end of the stream, or of the PID. A unit that does not declare its
  /// length is only known to be whole when its last packet was filled up.
  template <class Sink>
  void end(Sink&& sink) {
    if (header_.payload_bytes == 0 && !ends_stuffed_) return lose();
    finish(sink);
  }

  std::uint64_t damaged() const { return damaged_; }
  std::size_t held_bytes() const { return unit_.capacity(); }

 private:
  template <class Sink>
  void finish(Sink&& sink) {
    if (!collecting_) return;
    collecting_ = false;
    if (unit_.size() < header_.payload_bytes) {
      ++damaged_;
    } else if (!unit_.empty()) {
      if (header_.payload_bytes != 0) unit_.resize(header_.payload_bytes);
      sink(PesUnit{header_.pts, header_.dts, random_access_, unit_});
    }
    unit_.clear();
  }

  bool begin(const std::optional<PesHeader>& header, const Packet& packet);
  void append(ByteSpan bytes);
  bool is_complete() const;

  const std::size_t max_bytes_;
  const bool joins_;
  bool collecting_ = false;
  bool random_access_ = false;
  bool ends_stuffed_ = false;  ///< the newest packet
  PesHeader header_;
  std::vector<std::byte> unit_;
  std::uint64_t damaged_ = 0;
};

}  // namespace lookback::server::ts
