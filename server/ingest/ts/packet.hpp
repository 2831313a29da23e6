#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "store/base/bytes.hpp"

namespace lookback::server::ts {

inline constexpr std::size_t packet_bytes = 188;
inline constexpr std::byte sync_byte{0x47};
inline constexpr std::uint16_t null_pid = 0x1fff;

/// What a transport packet says (ISO/IEC 13818-1 2.4.3.2 to 2.4.3.5); refers to its bytes.
struct Packet {
  std::uint16_t pid = null_pid;
  std::uint8_t counter = 0;    ///< continuity_counter
  bool damaged = false;        ///< transport_error_indicator
  bool scrambled = false;      ///< transport_scrambling_control is not 0
  bool unit_start = false;     ///< payload_unit_start_indicator
  bool has_payload = false;    ///< and so counts in the continuity counter
  bool discontinuity = false;  ///< discontinuity_indicator: the counter may jump here
  bool random_access = false;  ///< random_access_indicator
  bool stuffed = false;        ///< filled up, as a unit's last packet is where the unit does not fit exactly
  ByteSpan payload;
};

/// `bytes`: exactly one packet. Empty: no packet, or an adaptation field that does not fit.
std::optional<Packet> parse_packet(ByteSpan bytes);

/// Finds packets in any pieces of a stream. Where the sync byte is missing, it looks for two of them at a
/// packet's distance. Keeps less than two packets. Belongs to its session's thread.
class PacketReader {
 public:
  /// Calls `sink(ByteSpan packet)` for each packet that is whole now.
  template <class Sink>
  void feed(ByteSpan input, Sink&& sink) {
    if (!rest_.empty()) {
      rest_.insert(rest_.end(), input.begin(), input.end());
      input = rest_;
    }
    while (const auto packet = next(input)) sink(*packet);
    rest_ = std::vector<std::byte>(input.begin(), input.end());
  }

  /// Bytes that belonged to no packet.
  std::uint64_t skipped_bytes() const { return skipped_; }

 private:
  std::optional<ByteSpan> next(ByteSpan& input);

  std::vector<std::byte> rest_;
  bool locked_ = false;
  std::uint64_t skipped_ = 0;
};

/// Watches one PID's continuity counter (2.4.3.3).
class Continuity {
 public:
  enum class Verdict { next, duplicate, lost };

  /// Once for each packet of the PID. `lost`: at least one packet is missing before it.
  Verdict check(const Packet& packet);
  /// Packets that are missing for certain; where 16 in a row are lost nobody can see it.
  std::uint64_t lost_packets() const { return lost_; }

 private:
  std::optional<std::uint8_t> last_;
  bool repeated_ = false;
  std::uint64_t lost_ = 0;
  std::array<std::byte, packet_bytes> payload_{};  ///< of the newest packet: only an equal one is a duplicate
  std::size_t payload_size_ = 0;
};

}  // namespace lookback::server::ts
