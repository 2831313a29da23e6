#pragma once
#include <filesystem>
#include <string>
#include <vector>

/// Pictures and clips as files, and the ffmpeg program as their judge. Every failure throws
/// std::runtime_error with its words.
namespace lookback::support {

/// Writes `bytes`; gives `file` back.
std::filesystem::path save(const std::filesystem::path& file, const std::string& bytes);

/// The picture of a film, clip or picture file at `seconds`, through ffmpeg's `filter`, as PNG in `out`.
std::filesystem::path picture_at(const std::filesystem::path& film, double seconds, const std::string& filter,
                                 const std::filesystem::path& out);

/// Structural similarity of two pictures of the same size, 1 for the same, as ffmpeg's filter has it.
double similarity(const std::filesystem::path& one, const std::filesystem::path& other);

/// What ffprobe says of a file whose pictures it has counted: "stream=width,nb_read_frames" gives these
/// values, each on a line.
std::string probe(const std::filesystem::path& file, const std::string& entries);

/// Durations of an animated WebP's pictures in ms, and each picture as a file of its own (RIFF container of
/// WebP, "Animation"). Empty: it is none.
struct WebpFrame {
  unsigned ms = 0;
  std::string still;
};
std::vector<WebpFrame> webp_frames(const std::string& file);

}  // namespace lookback::support
