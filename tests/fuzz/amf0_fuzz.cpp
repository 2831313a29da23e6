// The body of an RTMP command or data message: what is read must survive being written and read again.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "server/ingest/rtmp/amf0.hpp"

using namespace lookback;
using namespace lookback::server::rtmp;

namespace {

std::vector<std::byte> encoded(const std::vector<amf0::Value>& values) {
  std::vector<std::byte> out;
  for (const auto& value : values) amf0::encode(value, out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const amf0::Limits limits;
  const auto values = amf0::decode(std::as_bytes(std::span(data, size)), limits);
  if (!values) return 0;
  const auto once = encoded(*values);
  const auto again = amf0::decode(once, limits);
  if (!again || encoded(*again) != once) std::abort();
  return 0;
}
