#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "packager/media/picture_format.hpp"
#include "packager/mp4/init.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

bool sane(const TrackFormat& format) {
  if (format.codecs.empty() || format.timescale == 0) return false;
  if (format.kind == MediaKind::audio) {
    return format.sample_rate > 0 && format.channels > 0 && format.samples_per_frame > 0;
  }
  return format.coded_width > 0 && format.coded_width <= max_picture_side && format.coded_height > 0 &&
         format.coded_height <= max_picture_side && format.display_width > 0 &&
         format.display_width <= 0xFFFF;
}

}  // namespace

/// A format as the store keeps it: the codec's number, then its configuration. Whatever is accepted is sane,
/// reads the same once more, and fits into an init.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto format = deserialize_format({reinterpret_cast<const std::byte*>(data), size});
  if (!format) return 0;
  const auto again = deserialize_format(serialize(*format));
  if (!sane(*format) || !again || *again != *format || !make_init(*format)) std::abort();
  return 0;
}
