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

Clip::Clip(const std::string& path, bool repeats) {
  check(avformat_open_input(&input_, path.c_str(), nullptr, nullptr), path);
  check(avformat_find_stream_info(input_, nullptr), path);
  video_ = av_find_best_stream(input_, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  audio_ = av_find_best_stream(input_, AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
  read();
  if (packets_.empty()) throw std::runtime_error(path + ": no video and no audio");
  fit(repeats);
}

Clip::~Clip() { avformat_close_input(&input_); }

void Clip::read() {
  for (;;) {
    Packet packet(av_packet_alloc());
    const int code = av_read_frame(input_, packet.get());
    if (code == AVERROR_EOF) break;
    check(code, "reading the file");
    if (packet->stream_index != video_ && packet->stream_index != audio_) continue;
    if (packet->dts == AV_NOPTS_VALUE) packet->dts = packet->pts;
    if (packet->pts == AV_NOPTS_VALUE) packet->pts = packet->dts;
    av_packet_rescale_ts(packet.get(), input_->streams[packet->stream_index]->time_base, microseconds);
    packets_.push_back(std::move(packet));
  }
}

void Clip::fit(bool repeats) {
  const int lead = video_ >= 0 ? video_ : audio_;
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
