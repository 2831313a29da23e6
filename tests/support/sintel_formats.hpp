#pragma once
#include <cstddef>
#include <initializer_list>
#include <vector>

#include "packager/media/track_format.hpp"

namespace lookback::support {

inline std::vector<std::byte> config_bytes(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

/// The configurations of tests/media/sintel_720p24_gop2.mp4, as ffprobe -show_data prints them.
inline packager::TrackFormat sintel_video_format() {
  return packager::parse_avc_config(
             config_bytes({0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x19, 0x67, 0x64, 0x00,
                           0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xba, 0x10, 0x00, 0x00, 0x03,
                           0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x00, 0xf1, 0x83, 0x19, 0x60,
                           0x01, 0x00, 0x04, 0x68, 0xef, 0x97, 0x2c, 0xfd, 0xf8, 0xf8, 0x00}))
      .value();
}
inline packager::TrackFormat sintel_audio_format() {
  return packager::parse_aac_config(config_bytes({0x11, 0x90})).value();
}

}  // namespace lookback::support
