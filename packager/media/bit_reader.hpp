#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "store/base/bytes.hpp"

namespace lookback::packager {

/// Reads a peer's bits, most significant first. A fault is sticky: from then on every read gives 0, so that a
/// parser reads its fields in a row and asks once. Loops over counts that were read stay bounded because
/// every count has a limit. Refers to its bytes; belongs to one thread.
class BitReader {
 public:
  enum class Fault : std::uint8_t { none, truncated, out_of_range };

  explicit BitReader(ByteSpan bytes) : bytes_(bytes) {}

  Fault fault() const { return fault_; }
  bool ok() const { return fault_ == Fault::none; }
  std::size_t position() const { return position_; }                  ///< in bits
  std::size_t left() const { return bytes_.size() * 8 - position_; }  ///< in bits

  bool flag() { return bits(1) != 0; }

  /// u(n), n in 0 .. 32.
  std::uint32_t bits(unsigned count) {
    if (!ok()) return 0;
    if (count > left()) return fail(Fault::truncated);
    std::uint64_t value = 0;
    for (auto rest = count; rest > 0;) {
      const auto in_byte = static_cast<unsigned>(position_ % 8);
      const auto take = rest < 8 - in_byte ? rest : 8 - in_byte;
      const auto byte = std::to_integer<unsigned>(bytes_[position_ / 8]);
      value = value << take | (byte >> (8 - in_byte - take) & ((1U << take) - 1));
      position_ += take;
      rest -= take;
    }
    return static_cast<std::uint32_t>(value);
  }

  void skip(std::size_t count) {
    if (!ok()) return;
    if (count > left()) {
      fail(Fault::truncated);
      return;
    }
    position_ += count;
  }

  void align() { skip((8 - position_ % 8) % 8); }

  /// ue(v) (ITU-T H.264 9.1), at most `limit`.
  std::uint32_t ue(std::uint32_t limit = std::numeric_limits<std::uint32_t>::max() - 1) {
    unsigned zeros = 0;
    while (ok() && !flag()) {
      if (++zeros > 31) return fail(Fault::out_of_range);
    }
    const auto value = static_cast<std::uint32_t>((std::uint64_t{1} << zeros) - 1 + bits(zeros));
    if (!ok()) return 0;
    return value <= limit ? value : fail(Fault::out_of_range);
  }

  /// se(v) (ITU-T H.264 9.1.1).
  std::int32_t se() {
    const auto code = ue();
    const auto half = static_cast<std::int32_t>(code / 2);
    return code % 2 == 1 ? half + 1 : -half;
  }

 private:
  std::uint32_t fail(Fault fault) {
    fault_ = fault;
    return 0;
  }

  ByteSpan bytes_;
  std::size_t position_ = 0;
  Fault fault_ = Fault::none;
};

/// The RBSP of a NAL unit's payload: without the emulation prevention bytes (ITU-T H.264 7.4.1.1).
inline std::vector<std::byte> without_emulation_prevention(ByteSpan payload) {
  std::vector<std::byte> rbsp;
  rbsp.reserve(payload.size());
  unsigned zeros = 0;
  for (const auto byte : payload) {
    if (zeros >= 2 && byte == std::byte{3}) {
      zeros = 0;
      continue;
    }
    zeros = byte == std::byte{0} ? zeros + 1 : 0;
    rbsp.push_back(byte);
  }
  return rbsp;
}

}  // namespace lookback::packager
