#include <cstdlib>
#include <vector>

#include "server/pictures/clip_request.hpp"
#include "server/pictures/job.hpp"
#include "server/pictures/thumbnail_request.hpp"

// What server and picture worker read of each other, and what a request asks for: neither crashes nor reads
// past the end, and what is accepted means the same after another round.

using namespace lookback;
using namespace lookback::server::pictures;

namespace {

template <class Decode>
void check_round(const Slice& payload, Decode decode) {
  const auto read = decode(payload);
  if (!read) return;
  const auto message = encode(*read);
  const auto again = decode(make_slice(message.substr(message_head_bytes)));
  if (!again || encode(*again) != message) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 4) {
    case 0:
      check_round(make_slice(text), decode_job);
      break;
    case 1:
      check_round(make_slice(text), [](const Slice& payload) { return decode_reply(payload.bytes); });
      break;
    case 3:
      if (const auto request = parse_clip(text, Options{})) {
        if (const auto clip = clip_range(*request, {0, 60'000'000}, 62'000'000))
          (void)canonical_query(*request, clip->range);
      }
      break;
    default:
      if (const auto request = parse_thumbnail(text, ImageFormat::jpeg, 1'920))
        (void)canonical_query(*request, 0);
      break;
  }
  return 0;
}
