#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace lookback::support {

/// One frame of a file or a playlist as ffmpeg hands it out.
struct Frame {
  double time = 0;   ///< presentation time in seconds, as the input has it
  std::string hash;  ///< MD5 of its bytes
};

/// What ffmpeg gets of a file or the address of a playlist, by kind ("v", "a"): the first track's packets
/// when `codec` is "copy", decoded frames else ("rawvideo", "pcm_s16le"). Pictures are as they were coded,
/// not turned. Sound in ADTS comes without these headers. Throws std::runtime_error with ffmpeg's words when
/// it fails, or complains.
/// With `damaged` its words are not minded, and one thread decodes, so that it conceals damage always the
/// same.
std::vector<Frame> frames(const std::string& input, const std::string& kind, const std::string& codec,
                          bool damaged = false);

std::vector<std::string> hashes(const std::vector<Frame>& frames);

}  // namespace lookback::support
