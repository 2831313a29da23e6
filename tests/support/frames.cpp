#include "tests/support/frames.hpp"

#include <chrono>
#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "tests/support/process.hpp"

namespace lookback::support {
namespace {

bool is_adts(const std::string& input, const std::string& kind) {
  if (kind != "a" || !input.ends_with(".ts")) return false;
  const auto probed = run({"ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries",
                           "stream=codec_name", "-of", "csv=p=0", input});
  return probed.out.starts_with("aac");
}

}  // namespace

std::vector<Frame> frames(const std::string& input, const std::string& kind, const std::string& codec,
                          bool damaged) {
  std::vector<std::string> command{"ffmpeg", "-v", "error", "-nostdin", "-noautorotate", "-copyts"};
  if (damaged) command.insert(command.end(), {"-threads", "1"});
  command.insert(command.end(), {"-i", input, "-map", "0:" + kind + ":0"});
  command.insert(command.end(), {"-fps_mode", "passthrough", "-c", codec});
  if (codec == "copy" && is_adts(input, kind)) {
    command.push_back("-bsf:a");
    command.push_back("aac_adtstoasc");
  }
  for (const auto* word : {"-f", "framemd5", "-"}) command.emplace_back(word);
  const auto done = run(std::move(command), std::chrono::minutes(3));
  if (done.exit_code != 0 || (!done.err.empty() && !damaged))
    throw std::runtime_error("ffmpeg with " + input + ": " + done.err);
  double base = 0;
  std::vector<Frame> found;
  std::istringstream lines(done.out);
  for (std::string line; std::getline(lines, line);) {
    double numerator = 0, denominator = 0;
    if (std::sscanf(line.c_str(), "#tb 0: %lf/%lf", &numerator, &denominator) == 2)
      base = numerator / denominator;
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::string stream, dts, pts, duration, size, hash;  // side data follows
    for (auto* field : {&stream, &dts, &pts, &duration, &size, &hash}) std::getline(fields, *field, ',');
    hash.erase(0, hash.find_first_not_of(' '));
    found.push_back({std::stod(pts) * base, hash});
  }
  if (base <= 0) throw std::runtime_error("ffmpeg with " + input + ": no time base");
  return found;
}

std::vector<std::string> hashes(const std::vector<Frame>& frames) {
  std::vector<std::string> found;
  for (const auto& frame : frames) found.push_back(frame.hash);
  return found;
}

}  // namespace lookback::support
