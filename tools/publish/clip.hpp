#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include <libavformat/avformat.h>
}

namespace lookback::publish {

struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
using Packet = std::unique_ptr<AVPacket, FreePacket>;

/// The best video and the best audio track of a file, all packets in memory, in order of DTS; times are in
/// microseconds and the first DTS is 0. Immutable once it is read.
class Clip {
 public:
  /// `repeats`: sound outside of the video's time (an encoder's priming) is left out, so that turns join.
  /// Throws std::runtime_error with what is wrong.
  Clip(const std::string& path, bool repeats);
  ~Clip();
  Clip(const Clip&) = delete;
  Clip& operator=(const Clip&) = delete;

  const std::vector<Packet>& packets() const { return packets_; }
  std::int64_t period_us() const { return period_us_; }
  /// Null: the file has no such track.
  const AVCodecParameters* video() const { return parameters(video_); }
  const AVCodecParameters* audio() const { return parameters(audio_); }
  bool is_video(const AVPacket& packet) const { return packet.stream_index == video_; }

 private:
  const AVCodecParameters* parameters(int stream) const {
    return stream < 0 ? nullptr : input_->streams[stream]->codecpar;
  }
  void read();
  void fit(bool repeats);

  AVFormatContext* input_ = nullptr;
  int video_ = -1, audio_ = -1;
  std::int64_t period_us_ = 0;
  std::vector<Packet> packets_;
};

}  // namespace lookback::publish
