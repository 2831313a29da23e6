#include "server/pictures/worker/tone_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace lookback::server::pictures::worker {
namespace {

constexpr float reference_white = 203, peak = 1'000 / reference_white;  // cd/m2, ITU-R BT.2408

/// ITU-R BT.2100 table 4: cd/m2 of a PQ signal.
float pq_light(float signal) {
  constexpr float m1 = 0.1593017578125f, m2 = 78.84375f;
  constexpr float c1 = 0.8359375f, c2 = 18.8515625f, c3 = 18.6875f;
  const float power = std::pow(signal, 1 / m2);
  return 10'000 * std::pow(std::max(power - c1, 0.0f) / (c2 - c3 * power), 1 / m1);
}

/// ITU-R BT.2100 table 5: light of the scene, 0 to 1, of an HLG signal.
float hlg_scene(float signal) {
  constexpr float a = 0.17883277f, b = 0.28466892f, c = 0.55991073f;
  return signal <= 0.5f ? signal * signal / 3 : (std::exp((signal - c) / a) + b) / 12;
}

/// All 16-bit signals; made once.
const std::vector<float>& light_table(Transfer transfer) {
  const auto make = [](auto curve, float scale) {
    std::vector<float> table(65'536);
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = scale * curve(static_cast<float>(i) / 65'535);
    return table;
  };
  static const auto pq = make(pq_light, 1 / reference_white);
  static const auto hlg = make(hlg_scene, 1);
  return transfer == Transfer::pq ? pq : hlg;
}

using Rgb = std::array<float, 3>;

/// ITU-R BT.2100 table 5: the system gamma 1.2 of a display with 1,000 cd/m2.
void show_hlg(Rgb& light) {
  const float y = 0.2627f * light[0] + 0.6780f * light[1] + 0.0593f * light[2];
  const float gain = peak * std::pow(y, 0.2f);
  for (auto& c : light) c *= gain;
}

/// Linear BT.2020 to BT.709 (ITU-R BT.2087, its inverse).
Rgb narrowed(const Rgb& in) {
  return {1.6605f * in[0] - 0.5876f * in[1] - 0.0728f * in[2],
          -0.1246f * in[0] + 1.1329f * in[1] - 0.0083f * in[2],
          -0.0182f * in[0] - 0.1006f * in[1] + 1.1187f * in[2]};
}

float mobius(float light) {
  constexpr float knee = 0.3f;
  if (light <= knee) return light;
  constexpr float a = -knee * knee * (peak - 1) / (knee * knee - 2 * knee + peak);
  constexpr float b = (knee * knee - 2 * knee * peak + peak) / (peak - 1);
  return (b * b + 2 * b * knee + knee * knee) / (b - a) * (light + a) / (light + b);
}

/// The inverse of ITU-R BT.1886's display. The table is of the light's root: finer steps in the dark.
std::uint8_t signal_of(float light) {
  constexpr std::size_t steps = 4'096;
  static const auto table = [] {
    std::vector<std::uint8_t> made(steps + 1);
    for (std::size_t i = 0; i <= steps; ++i) {
      const float light_root = static_cast<float>(i) / steps;
      made[i] = static_cast<std::uint8_t>(std::lround(255 * std::pow(light_root, 2 / 2.4f)));
    }
    return made;
  }();
  return table[static_cast<std::size_t>(std::sqrt(std::clamp(light, 0.0f, 1.0f)) * steps + 0.5f)];
}

}  // namespace

void tone_map(std::span<const std::uint16_t> deep, Transfer transfer, bool wide,
              std::span<std::uint8_t> rgb) {
  const auto& table = light_table(transfer);
  for (std::size_t i = 0; i + 2 < deep.size(); i += 3) {
    Rgb light{table[deep[i]], table[deep[i + 1]], table[deep[i + 2]]};
    if (transfer == Transfer::hlg) show_hlg(light);
    if (wide) light = narrowed(light);
    const float brightest = std::max({light[0], light[1], light[2], 1e-6f});
    const float gain = mobius(std::min(brightest, peak)) / brightest;
    for (std::size_t c = 0; c < 3; ++c) rgb[i + c] = signal_of(light[c] * gain);
  }
}

}  // namespace lookback::server::pictures::worker
