#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "packager/media/picture_format.hpp"
#include "packager/mp4/init.hpp"

using namespace lookback;
using namespace lookback::packager;

/// Whatever is accepted has a sane picture, reads the same from its stored form, and fits into an init.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteSpan bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto format = parse_avc_config(bytes);
  if (!format) return 0;
  const bool sane = format->coded_width > 0 && format->coded_width <= max_picture_side &&
                    format->coded_height > 0 && format->coded_height <= max_picture_side &&
                    format->display_width > 0 && format->display_width <= 0xFFFF;
  const auto again = deserialize_format(serialize(*format));
  if (!sane || !again || *again != *format || !make_init(*format)) std::abort();
  return 0;
}
