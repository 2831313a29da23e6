// A splice_info_section as if its CRC were good. What comes out is bounded, and has names that a playlist can
// carry.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "server/ingest/ts/scte35.hpp"

using namespace lookback;
using namespace lookback::server;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto splices = ts::parse_splice_section(std::as_bytes(std::span(data, size)));
  if (!splices) return 0;
  require(splices->size() <= 16);
  for (const auto& splice : *splices) {
    require(!splice.event.empty() && splice.event.size() < 64);
    for (const auto c : splice.event) require(is_name(c));
    if (splice.pts) require(*splice.pts >> 33 == 0);
    if (splice.duration) require(*splice.duration > 0 && *splice.duration >> 40 == 0);
  }
  return 0;
}
