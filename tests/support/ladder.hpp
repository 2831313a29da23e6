#pragma once
#include <filesystem>

namespace lookback::support {

/// Makes a transport stream of 40 s out of the Sintel clip, as an encoder with a ladder sends it: 640x360,
/// 480x270 (without B-frames) and 320x180 with a key picture every 2 s at the same instants, and two sounds,
/// English and German (quieter). Throws std::runtime_error with FFmpeg's words.
/// `b_frames`: of the largest picture.
void make_ladder(const std::filesystem::path& out, int b_frames = 2);

/// The same with the picture of 480x270 alone whose key pictures lie half a second later. 10 s.
void make_uneven_ladder(const std::filesystem::path& out);

}  // namespace lookback::support
