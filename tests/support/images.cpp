#include "tests/support/images.hpp"

#include <fstream>
#include <stdexcept>

#include "tests/support/process.hpp"

namespace lookback::support {
namespace {

Finished finished(std::vector<std::string> command) {
  auto end = run(std::move(command), std::chrono::seconds(60));
  if (end.exit_code != 0) throw std::runtime_error(end.err);
  return end;
}

unsigned number(const std::string& bytes, std::size_t at, std::size_t count) {
  unsigned value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return value;
}

std::string still_webp(const std::string& chunks) {
  std::string file = "RIFF";
  for (int shift = 0; shift < 32; shift += 8) file += static_cast<char>((chunks.size() + 4) >> shift);
  return file + "WEBP" + chunks;
}

}  // namespace

std::filesystem::path save(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
  return file;
}

std::filesystem::path picture_at(const std::filesystem::path& film, double seconds, const std::string& filter,
                                 const std::filesystem::path& out) {
  std::vector<std::string> command{"ffmpeg", "-v", "error", "-nostdin", "-y"};
  if (seconds > 0) command.insert(command.end(), {"-ss", std::to_string(seconds)});
  command.insert(command.end(), {"-i", film.string(), "-frames:v", "1", "-vf", filter, out.string()});
  finished(std::move(command));
  return out;
}

double similarity(const std::filesystem::path& one, const std::filesystem::path& other) {
  const auto text =
      finished({"ffmpeg", "-v", "info", "-nostdin", "-i", one.string(), "-i", other.string(), "-lavfi",
                "[0]format=yuv444p[a];[1]format=yuv444p[b];[a][b]ssim", "-f", "null", "-"})
          .err;
  const auto at = text.find("All:");
  if (at == std::string::npos) throw std::runtime_error(text);
  return std::stod(text.substr(at + 4));
}

std::string probe(const std::filesystem::path& file, const std::string& entries) {
  auto text = finished({"ffprobe", "-v", "error", "-count_frames", "-show_entries", entries, "-of",
                        "default=noprint_wrappers=1:nokey=1", file.string()})
                  .out;
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

std::vector<WebpFrame> webp_frames(const std::string& file) {
  std::vector<WebpFrame> frames;
  if (file.size() < 12 || file.substr(0, 4) != "RIFF" || number(file, 4, 4) + 8 != file.size()) return frames;
  for (std::size_t at = 12; at + 8 <= file.size();) {
    const std::size_t size = number(file, at + 4, 4);
    if (file.substr(at, 4) == "ANMF")
      frames.push_back({number(file, at + 20, 3), still_webp(file.substr(at + 24, size - 16))});
    at += 8 + size + size % 2;
  }
  return frames;
}

}  // namespace lookback::support
