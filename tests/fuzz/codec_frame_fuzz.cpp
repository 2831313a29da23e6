#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "packager/media/audio_packet.hpp"
#include "packager/media/av1.hpp"
#include "packager/media/flac.hpp"
#include "packager/media/opus.hpp"
#include "packager/media/picture.hpp"
#include "packager/media/vp9.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// A configuration that was made of a frame or a header can be read.
void check_config(Codec codec, const Result<std::vector<std::byte>>& config) {
  if (!config) return;
  const auto format = parse_config(codec, *config);
  require(format.has_value() || codec == Codec::opus || format.error() == Errc::picture_too_large);
}

void check_av1(ByteSpan frame) {
  if (frame.size() >= 4) (void)av1_config(frame.first(4), frame.subspan(4));
  const auto skipped = temporal_delimiter_bytes(frame);
  require(skipped <= frame.size());
  if (obus_fit(frame)) require(obus_fit(frame.subspan(skipped)));
}

}  // namespace

/// An access unit or a header of its own behind the codec's number.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto codec = static_cast<Codec>(data[0]);
  const auto frame = ByteSpan(reinterpret_cast<const std::byte*>(data), size).subspan(1);
  TrackFormat format;
  format.codec = codec;
  begins_closed_gop(format, frame);
  packet_ticks(format, frame);
  if (const auto described = format_of_frame(codec, frame, nullptr)) {
    require(format_of_frame(codec, frame, &*described).value() == *described);
  }
  check_config(Codec::vp9, vp9_config(frame));
  check_config(Codec::opus, opus_config(frame));
  if (const auto streaminfo = flac_streaminfo(frame)) (void)parse_flac_config(*streaminfo);
  check_av1(frame);
  return 0;
}
