#include <cstdlib>

#include "store/codec.hpp"
#include "store/extent_format.hpp"
#include "store/sheet_record.hpp"

// The store's decoders on any bytes: they neither crash nor read past the end, and what they accept
// means the same after another round.

using namespace lookback;
using namespace lookback::store;

namespace {

template <class Record, class Decode>
void check_round(const Result<Record>& record, Decode decode) {
  if (!record) return;
  const auto bytes = encode(*record);
  const auto again = decode(as_bytes(bytes));
  if (!again || encode(*again) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  switch (data[0] % 9) {
    case 0:
      check_round(decode_stream(bytes), decode_stream);
      break;
    case 1:
      check_round(decode_track(bytes), decode_track);
      break;
    case 2:
      check_round(decode_init(bytes), decode_init);
      break;
    case 3:
      check_round(decode_segment(bytes), decode_segment);
      break;
    case 4:
      check_round(decode_extent(bytes), decode_extent);
      break;
    case 5:
      check_round(decode_extent_header(bytes), decode_extent_header);
      break;
    case 6:
      check_round(decode_footer(bytes), decode_footer);
      break;
    case 8:
      check_round(decode_sheet(bytes), decode_sheet);
      break;
    default:
      (void)decode_block(ExtentHeader::Nonce{}, bytes);
      break;
  }
  return 0;
}
