#pragma once
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>

/// What networks, multiplexers and disks do to transport streams; the same for the same seed.
namespace lookback::support {

enum class Damage { flip_bits, drop, duplicate, reorder, burst, zero, pcr_and_times };

inline constexpr Damage all_damage[] = {Damage::flip_bits,    Damage::drop,  Damage::duplicate,
                                        Damage::reorder,      Damage::burst, Damage::zero,
                                        Damage::pcr_and_times};

/// Hits `per_mille` of the packets.
inline std::string damaged(const std::string& clean, Damage kind, unsigned per_mille, std::uint32_t seed) {
  std::minstd_rand random(seed * 2'654'435'761u + 1);
  const auto below = [&](std::size_t bound) { return random() % bound; };
  std::string out, kept_back;
  for (std::size_t at = 0; at + 188 <= clean.size(); at += 188) {
    auto packet = clean.substr(at, 188);
    if (below(1'000) >= per_mille) {
      out += packet;
      if (!kept_back.empty() && below(3) == 0) out += std::exchange(kept_back, {});
      continue;
    }
    switch (kind) {
      case Damage::flip_bits:
        for (auto flips = 1 + below(8); flips > 0; --flips)
          packet[below(188)] ^= static_cast<char>(1 << below(8));
        out += packet;
        break;
      case Damage::drop:
        break;
      case Damage::duplicate:
        for (auto copies = 2 + below(3); copies > 0; --copies) out += packet;
        break;
      case Damage::reorder:
        out += std::exchange(kept_back, packet);
        break;
      case Damage::burst:
        at += 188 * below(40);
        break;
      case Damage::zero:
        std::fill(packet.begin() + 4, packet.end(), '\0');
        out += packet;
        break;
      case Damage::pcr_and_times:  // the bytes where PCR and timestamps are
        for (std::size_t i = 6; i < 32; ++i) packet[i] = static_cast<char>(random());
        out += packet;
        break;
    }
  }
  return out;
}

}  // namespace lookback::support
