#include "tests/support/ladder.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/media.hpp"
#include "tests/support/process.hpp"

namespace lookback::support {
namespace {

void encode(std::vector<std::string> command) {
  const auto done = run(std::move(command), std::chrono::minutes(3));
  if (done.exit_code != 0) throw std::runtime_error("ffmpeg: " + done.err);
}

}  // namespace

void make_ladder(const std::filesystem::path& out, int b_frames) {
  encode({"ffmpeg",
          "-v",
          "error",
          "-nostdin",
          "-y",
          "-stream_loop",
          "3",
          "-i",
          clip("sintel_360p24_gop2.mp4").string(),
          "-filter_complex",
          "[0:v]setpts=N/24/TB,split=3[large][m][s];[m]scale=480:270[middle];[s]scale=320:180[small];"
          "[0:a]asetpts=N/SR/TB,asplit[english][g];[g]volume=0.3[german]",
          "-map",
          "[large]",
          "-map",
          "[middle]",
          "-map",
          "[small]",
          "-map",
          "[english]",
          "-map",
          "[german]",
          "-c:v",
          "libx264",
          "-preset",
          "ultrafast",
          "-bf:v:0",
          std::to_string(b_frames),
          "-g",
          "48",
          "-keyint_min",
          "48",
          "-sc_threshold",
          "0",
          "-b:v:0",
          "900k",
          "-b:v:1",
          "450k",
          "-b:v:2",
          "200k",
          "-c:a",
          "aac",
          "-b:a",
          "96k",
          "-metadata:s:a:0",
          "language=eng",
          "-metadata:s:a:1",
          "language=deu",
          "-f",
          "mpegts",
          out.string()});
}

void make_uneven_ladder(const std::filesystem::path& out) {
  encode({"ffmpeg",
          "-v",
          "error",
          "-nostdin",
          "-y",
          "-i",
          clip("sintel_360p24_gop2.mp4").string(),
          "-filter_complex",
          "[0:v]split[large][m];[m]scale=480:270[middle]",
          "-map",
          "[large]",
          "-map",
          "[middle]",
          "-map",
          "0:a",
          "-c:v",
          "libx264",
          "-preset",
          "ultrafast",
          "-bf:v:0",
          "0",
          "-g",
          "240",
          "-sc_threshold",
          "0",
          "-force_key_frames:v:0",
          "expr:gte(t,n_forced*2)",
          "-force_key_frames:v:1",
          "expr:if(n_forced,gte(t,n_forced*2-1.5),1)",
          "-c:a",
          "copy",
          "-f",
          "mpegts",
          out.string()});
}

}  // namespace lookback::support
