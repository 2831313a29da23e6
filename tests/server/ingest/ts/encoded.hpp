#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/packager/media/clip.hpp"
#include "tests/support/media.hpp"

/// Files that FFmpeg makes of the Sintel clips, for tests.
namespace lookback::support {

using Arguments = std::vector<std::string>;

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Six seconds of film, encoded as `codec` says, in the container that `name` ends with.
inline std::filesystem::path encoded(const TempDir& dir, const std::string& name, const Arguments& codec) {
  const auto out = dir.path() / name;
  Arguments command{
      "ffmpeg", "-v", "error", "-nostdin", "-y", "-t", "6", "-i", clip("sintel_360p24_gop2.mp4").string()};
  command.insert(command.end(), codec.begin(), codec.end());
  command.push_back(out.string());
  test::output_of(command);
  return out;
}

}  // namespace lookback::support
