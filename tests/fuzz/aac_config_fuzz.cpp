#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "packager/media/track_format.hpp"
#include "packager/mp4/init.hpp"

using namespace lookback;
using namespace lookback::packager;

/// Whatever is accepted has a rate and channels, reads the same from its stored form, and fits into an init.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteSpan bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto format = parse_aac_config(bytes);
  if (!format) return 0;
  const bool sane = format->timescale > 0 && format->sample_rate >= format->timescale &&
                    format->channels > 0 && format->samples_per_frame > 0;
  const auto again = deserialize_format(serialize(*format));
  if (!sane || !again || *again != *format || !make_init(*format)) std::abort();
  return 0;
}
