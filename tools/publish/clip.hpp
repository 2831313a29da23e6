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

/// A track of a file.
struct ClipTrack {
  const AVCodecParameters* parameters = nullptr;
  int stream = 0;             ///< as packets name it
  std::uint8_t number = 0;    ///< among those of its kind
  std::string language = {};  ///< as the file tells it; may be empty
  bool is_video() const { return parameters->codec_type == AVMEDIA_TYPE_VIDEO; }
};

/// The best video and the best audio track of a file, or all of them; all packets in memory, in order of DTS;
/// times are in microseconds and the first DTS is 0. Immutable once it is read.
class Clip {
 public:
  /// `all_tracks`: not only the best two. `repeats`: sound outside of the video's time (an encoder's priming)
  /// is left out, so that turns join. Throws std::runtime_error with what is wrong.
  Clip(const std::string& path, bool repeats, bool all_tracks);
  ~Clip();
  Clip(const Clip&) = delete;
  Clip& operator=(const Clip&) = delete;

  const std::vector<Packet>& packets() const { return packets_; }
  std::int64_t period_us() const { return period_us_; }
  /// Video first.
  const std::vector<ClipTrack>& tracks() const { return tracks_; }
  const ClipTrack& track_of(const AVPacket& packet) const { return *find(packet.stream_index); }

 private:
  const ClipTrack* find(int stream) const;
  void choose(AVMediaType type, bool all);
  void read();
  void fit(bool repeats);

  AVFormatContext* input_ = nullptr;
  std::vector<ClipTrack> tracks_;
  std::int64_t period_us_ = 0;
  std::vector<Packet> packets_;
};

}  // namespace lookback::publish
