#include "tests/support/publisher.hpp"

#include <sstream>

namespace lookback::support {

std::vector<std::string> ffmpeg_publisher(const Publish& publish) {
  std::vector<std::string> line{"ffmpeg", "-v", "warning", "-nostdin"};
  if (publish.real_time) line.push_back("-re");
  if (publish.loop) line.insert(line.end(), {"-stream_loop", "-1"});
  line.insert(line.end(), publish.before_input.begin(), publish.before_input.end());
  line.insert(line.end(), {"-i", publish.clip.string(), "-map", "0:v?", "-map", "0:a?"});
  line.insert(line.end(), publish.output.begin(), publish.output.end());
  line.insert(line.end(), {"-f", publish.url.starts_with("srt:") ? "mpegts" : "flv", publish.url});
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

std::vector<std::string> gstreamer_srt_publisher(const std::filesystem::path& clip, std::uint16_t port,
                                                 const std::string& stream_id) {
  std::vector<std::string> line{"gst-launch-1.0", "-e"};
  const std::string pipeline =
      "filesrc name=f ! qtdemux name=d d.video_0 ! queue ! h264parse config-interval=-1 ! mux. "
      "d.audio_0 ! queue ! aacparse ! mux. mpegtsmux name=mux alignment=7 ! srtsink name=s";
  std::istringstream words(pipeline);
  for (std::string word; words >> word;) {
    line.push_back(word);
    if (word == "name=f") line.push_back("location=" + clip.string());
    if (word == "name=s") {
      line.push_back("uri=srt://127.0.0.1:" + std::to_string(port));
      line.push_back("streamid=" + stream_id);
    }
  }
  return line;
}

std::vector<std::string> srt_live_transmit_publisher(const std::filesystem::path& clip,
                                                     const std::string& url) {
  return {"sh", "-c",
          "ffmpeg -v warning -nostdin -re -i '" + clip.string() +
              "' -c copy -f mpegts -flush_packets 1 - | exec srt-live-transmit -q -a:no -chunk:1316 "
              "file://con '" +
              url + "'"};
}

}  // namespace lookback::support
