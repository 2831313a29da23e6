#include "server/ingest/ts/packet.hpp"

namespace lookback::server::ts {
namespace {

constexpr std::size_t header_bytes = 4;
constexpr unsigned counter_values = 16;

unsigned at(ByteSpan bytes, std::size_t index) { return std::to_integer<unsigned>(bytes[index]); }

/// Whether an adaptation field is longer than what its flags announce: PCR, OPCR, splice_countdown. What has
/// a length of its own there (private data, an extension) is not looked into.
bool is_stuffed(unsigned length, unsigned flags) {
  if (flags & 0x03) return false;
  return length > 1u + (flags & 0x10 ? 6 : 0) + (flags & 0x08 ? 6 : 0) + (flags & 0x04 ? 1 : 0);
}

}  // namespace

std::optional<Packet> parse_packet(ByteSpan bytes) {
  if (bytes.size() != packet_bytes || bytes[0] != sync_byte) return std::nullopt;
  Packet packet;
  packet.damaged = at(bytes, 1) & 0x80;
  packet.unit_start = at(bytes, 1) & 0x40;
  packet.pid = static_cast<std::uint16_t>((at(bytes, 1) & 0x1f) << 8 | at(bytes, 2));
  packet.scrambled = at(bytes, 3) & 0xc0;
  packet.has_payload = at(bytes, 3) & 0x10;
  packet.counter = at(bytes, 3) & 0x0f;
  const bool has_adaptation = at(bytes, 3) & 0x20;

  auto rest = bytes.subspan(header_bytes);
  if (has_adaptation) {
    const auto length = at(rest, 0);
    if (length + 1 > rest.size()) return std::nullopt;
    if (length > 0) {
      packet.discontinuity = at(rest, 1) & 0x80;
      packet.random_access = at(rest, 1) & 0x40;
    }
    packet.stuffed = length == 0 || is_stuffed(length, at(rest, 1));
    rest = rest.subspan(length + 1);
  }
  if (packet.has_payload) packet.payload = rest;
  return packet;
}

std::optional<ByteSpan> PacketReader::next(ByteSpan& input) {
  while (input.size() >= packet_bytes) {
    const bool follows = input.size() > packet_bytes;
    const bool next_is_sync = follows && input[packet_bytes] == sync_byte;
    if (input[0] == sync_byte && (locked_ || !follows || next_is_sync)) {
      locked_ = true;
      const auto packet = input.first(packet_bytes);
      input = input.subspan(packet_bytes);
      return packet;
    }
    // Only this packet's own sync byte is damaged, or the rhythm is lost.
    const bool in_rhythm = locked_ && next_is_sync;
    locked_ = in_rhythm;
    std::size_t skip = packet_bytes;
    if (!in_rhythm) {
      skip = static_cast<std::size_t>(std::find(input.begin() + 1, input.end(), sync_byte) - input.begin());
    }
    input = input.subspan(skip);
    skipped_ += skip;
  }
  return std::nullopt;
}

Continuity::Verdict Continuity::check(const Packet& packet) {
  if (!packet.has_payload) return Verdict::next;
  const bool same_counter = last_ == packet.counter;
  const bool same_payload = std::ranges::equal(packet.payload, ByteSpan(payload_).first(payload_size_));
  if (same_counter && same_payload && !repeated_) {
    repeated_ = true;
    return Verdict::duplicate;
  }
  auto verdict = Verdict::next;
  if (last_) {
    const auto missing = (packet.counter + 2 * counter_values - *last_ - 1u) % counter_values;
    if (missing != 0) verdict = Verdict::lost;
    if (!packet.discontinuity) lost_ += missing;
  }
  last_ = packet.counter;
  repeated_ = false;
  payload_size_ = packet.payload.size();
  std::ranges::copy(packet.payload, payload_.begin());
  return verdict;
}

}  // namespace lookback::server::ts
