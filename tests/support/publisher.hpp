#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace lookback::support {

/// How a clip is sent. The defaults are those of a live encoder: endless, at its own speed, not encoded anew.
struct Publish {
  std::filesystem::path clip;
  std::string url;  ///< rtmp://… or srt://…
  bool loop = true;
  bool real_time = true;                       ///< false: as fast as the server takes it
  std::vector<std::string> before_input = {};  ///< further options of the input: {"-ss", "4"}
  std::vector<std::string> output = {"-c", "copy"};
};

/// The command line of an FFmpeg that publishes so.
std::vector<std::string> ffmpeg_publisher(const Publish& publish);

/// The same with GStreamer: an MP4 with H.264 and AAC, once, at its own speed.
std::vector<std::string> gstreamer_publisher(const std::filesystem::path& clip, const std::string& url);

/// By SRT: GStreamer with an MP4 of H.264 and AAC, once, at its own speed.
std::vector<std::string> gstreamer_srt_publisher(const std::filesystem::path& clip, std::uint16_t port,
                                                 const std::string& stream_id);

/// By SRT: FFmpeg makes the transport stream, srt-live-transmit sends it.
std::vector<std::string> srt_live_transmit_publisher(const std::filesystem::path& clip,
                                                     const std::string& url);

/// A running publisher; ends with its owner.
class Publisher : public Process {
 public:
  explicit Publisher(const Publish& publish) : Process({.arguments = ffmpeg_publisher(publish)}) {}
};

}  // namespace lookback::support
