#pragma once
#include <cstdint>

#include "packager/media/track_format.hpp"

/// What the audio configuration parsers share.
namespace lookback::packager {

inline constexpr std::uint32_t max_sample_rate = 192'000;

/// An audio format whose timescale is its sample rate.
inline TrackFormat audio_format(Codec codec, ByteSpan config, std::uint32_t sample_rate,
                                std::uint32_t channels, std::uint32_t samples_per_frame) {
  TrackFormat format;
  format.kind = MediaKind::audio;
  format.codec = codec;
  format.config.assign(config.begin(), config.end());
  format.timescale = format.sample_rate = sample_rate;
  format.channels = channels;
  format.samples_per_frame = samples_per_frame;
  return format;
}

}  // namespace lookback::packager
