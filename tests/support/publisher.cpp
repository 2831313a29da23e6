#include "tests/support/publisher.hpp"

namespace lookback::support {

std::vector<std::string> ffmpeg_publisher(const Publish& publish) {
  std::vector<std::string> line{"ffmpeg", "-v", "warning", "-nostdin"};
  if (publish.real_time) line.push_back("-re");
  if (publish.loop) line.insert(line.end(), {"-stream_loop", "-1"});
  line.insert(line.end(), publish.before_input.begin(), publish.before_input.end());
  line.insert(line.end(), {"-i", publish.clip.string(), "-map", "0:v?", "-map", "0:a?"});
  line.insert(line.end(), publish.output.begin(), publish.output.end());
  line.insert(line.end(), {"-f", "flv", publish.url});
  return line;
}

std::vector<std::string> gstreamer_publisher(const std::filesystem::path& clip, const std::string& url) {
  return {"gst-launch-1.0",
          "-e",
          "filesrc",
          "location=" + clip.string(),
          "!",
          "qtdemux",
          "name=d",
          "d.video_0",
          "!",
          "queue",
          "!",
          "h264parse",
          "!",
          "mux.",
          "d.audio_0",
          "!",
          "queue",
          "!",
          "aacparse",
          "!",
          "mux.",
          "flvmux",
          "name=mux",
          "streamable=true",
          "!",
          "rtmp2sink",
          "sync=true",
          "location=" + url};
}

}  // namespace lookback::support
