#include "tools/publish/clip.hpp"

#include <algorithm>
#include <stdexcept>

extern "C" {
#include <libavutil/mathematics.h>
}

namespace lookback::publish {
namespace {

constexpr AVRational microseconds{1, 1'000'000};

void check(int code, const std::string& what) {
  if (code >= 0) return;
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  throw std::runtime_error(what + ": " + text);
}

}  // namespace

Clip::Clip(const std::string& path, bool repeats, bool all_tracks) {
  check(avformat_open_input(&input_, path.c_str(), nullptr, nullptr), path);
  check(avformat_find_stream_info(input_, nullptr), path);
  choose(AVMEDIA_TYPE_VIDEO, all_tracks);
  choose(AVMEDIA_TYPE_AUDIO, all_tracks);
  read();
  if (packets_.empty()) throw std::runtime_error(path + ": no video and no audio");
  fit(repeats);
}

Clip::~Clip() { avformat_close_input(&input_); }

void Clip::choose(AVMediaType type, bool all) {
  const int best = av_find_best_stream(input_, type, -1, -1, nullptr, 0);
  std::uint8_t number = 0;
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    const auto& stream = *input_->streams[i];
    const bool attached = (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    if (stream.codecpar->codec_type != type || attached) continue;
    if (!all && static_cast<int>(i) != best) continue;
    ClipTrack track{stream.codecpar, static_cast<int>(i), number++};
    if (const auto* tag = av_dict_get(stream.metadata, "language", nullptr, 0)) track.language = tag->value;
    tracks_.push_back(std::move(track));
  }
}

const ClipTrack* Clip::find(int stream) const {
  const auto found = std::ranges::find(tracks_, stream, &ClipTrack::stream);
  return found == tracks_.end() ? nullptr : &*found;
}

void Clip::read() {
  for (;;) {
    Packet packet(av_packet_alloc());
    const int code = av_read_frame(input_, packet.get());
    if (code == AVERROR_EOF) break;
    check(code, "reading the file");
    if (find(packet->stream_index) == nullptr) continue;
    if (packet->dts == AV_NOPTS_VALUE) packet->dts = packet->pts;
    if (packet->pts == AV_NOPTS_VALUE) packet->pts = packet->dts;
    av_packet_rescale_ts(packet.get(), input_->streams[packet->stream_index]->time_base, microseconds);
    packets_.push_back(std::move(packet));
  }
}

void Clip::fit(bool repeats) {
  const int lead = tracks_.front().stream;
  for (const auto& packet : packets_) {
    if (packet->stream_index == lead) period_us_ += packet->duration;
  }
  if (repeats) {
    std::erase_if(packets_, [&](const Packet& each) {
      return each->stream_index != lead && (each->dts < 0 || each->dts >= period_us_);
    });
  }
  std::stable_sort(packets_.begin(), packets_.end(),
                   [](const Packet& a, const Packet& b) { return a->dts < b->dts; });
  const auto first = packets_.front()->dts;
  for (auto& packet : packets_) {
    packet->dts -= first;
    packet->pts -= first;
  }
}

}  // namespace lookback::publish
