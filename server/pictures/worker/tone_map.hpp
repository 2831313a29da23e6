#pragma once
#include <cstdint>
#include <span>

namespace lookback::server::pictures::worker {

/// How HDR samples become light (ITU-R BT.2100).
enum class Transfer { pq, hlg };

/// Brings HDR pictures to SDR: light up to 30 % of reference white (203 cd/m2, ITU-R BT.2408) stays as it is,
/// what is brighter, up to 1,000 cd/m2, is bent into the rest (the Möbius curve of FFmpeg's tonemap filter).
/// `deep`: R, G, B of each pixel in 16 bits, non-linear. `wide`: in the primaries of BT.2020, else of BT.709.
/// `rgb` has as many bytes as `deep` has numbers. Pure.
void tone_map(std::span<const std::uint16_t> deep, Transfer transfer, bool wide, std::span<std::uint8_t> rgb);

}  // namespace lookback::server::pictures::worker
