#include "tests/support/paced_ts.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace lookback::support {
namespace {

constexpr std::size_t packet_bytes = 188;
constexpr std::uint64_t pcr_mask = (std::uint64_t{1} << 33) - 1;
/// More than any two PCRs lie apart (0.1 s); a larger step is a jump of the clock.
constexpr std::uint64_t most_step = 2 * 90'000;

/// Base of the packet's PCR, in 90 kHz.
std::optional<std::uint64_t> pcr_of(std::string_view packet) {
  const auto byte = [&](std::size_t at) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(packet[at]));
  };
  const bool has_field = byte(3) & 0x20;
  if (!has_field || byte(4) < 7 || (byte(5) & 0x10) == 0) return std::nullopt;
  return byte(6) << 25 | byte(7) << 17 | byte(8) << 9 | byte(9) << 1 | byte(10) >> 7;
}

}  // namespace

bool send_in_time(SrtCaller& caller, const std::string& ts) {
  constexpr double at_once_mbps = 200;
  auto due = std::chrono::steady_clock::now();
  std::optional<std::uint64_t> last;
  std::size_t sent = 0;
  for (std::size_t at = 0; at + packet_bytes <= ts.size(); at += packet_bytes) {
    const auto pcr = pcr_of(std::string_view(ts).substr(at, packet_bytes));
    if (!pcr) continue;
    const auto step = last ? (*pcr - *last) & pcr_mask : 0;
    last = pcr;
    if (step <= most_step) due += std::chrono::microseconds(step * 100 / 9);
    if (!caller.send(std::string_view(ts).substr(sent, at - sent), at_once_mbps)) return false;
    sent = at;
    std::this_thread::sleep_until(due);
  }
  if (!last) throw std::runtime_error("a transport stream without PCR");
  return caller.send(std::string_view(ts).substr(sent), at_once_mbps);
}

}  // namespace lookback::support
