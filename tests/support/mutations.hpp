#pragma once
#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace lookback::support {

/// How many mutations a campaign makes: 10,000, or what LOOKBACK_MUTATIONS says (`tools/test --nightly`).
inline std::uint32_t mutations_wanted() {
  const char* wanted = std::getenv("LOOKBACK_MUTATIONS");
  return wanted == nullptr ? 10'000 : static_cast<std::uint32_t>(std::strtoul(wanted, nullptr, 10));
}

}  // namespace lookback::support
