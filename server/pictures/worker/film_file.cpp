#include "server/pictures/worker/film_file.hpp"

extern "C" {
#include <libavformat/avformat.h>
}

#include <utility>

namespace lookback::server::pictures::worker {
namespace {

constexpr AVRational us_base{1, 1'000'000};

const char* muxer_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::gif:
      return "gif";
    case ImageFormat::mp4:
      return "mp4";
    default:
      return "webp";
  }
}

/// An open muxer that writes to memory.
class Muxer {
 public:
  ~Muxer() {
    if (context_ == nullptr) return;
    std::uint8_t* bytes = nullptr;
    if (context_->pb != nullptr) avio_close_dyn_buf(context_->pb, &bytes);
    av_free(bytes);
    avformat_free_context(context_);
  }
  Muxer() = default;
  Muxer(const Muxer&) = delete;
  Muxer& operator=(const Muxer&) = delete;

  /// `index_bytes`: room for an MP4's moov in front of its media, so that it plays while it loads.
  /// `last_us`: how long the last picture is shown, which the muxer of GIF wants to know beforehand.
  bool open(ImageFormat format, const AVCodecContext& encoder, std::size_t index_bytes,
            std::int64_t last_us) {
    if (avformat_alloc_output_context2(&context_, nullptr, muxer_of(format), nullptr) < 0) return false;
    context_->flags |= AVFMT_FLAG_BITEXACT;
    if (avio_open_dyn_buf(&context_->pb) < 0) return false;
    auto* stream = avformat_new_stream(context_, nullptr);
    if (stream == nullptr || avcodec_parameters_from_context(stream->codecpar, &encoder) < 0) return false;
    stream->time_base = us_base;
    AVDictionary* options = nullptr;
    if (format == ImageFormat::mp4) {
      av_dict_set_int(&options, "moov_size", static_cast<std::int64_t>(index_bytes), 0);
      av_dict_set(&options, "video_track_timescale", "90000", 0);
    } else {
      av_dict_set(&options, "loop", "0", 0);  // for ever
    }
    if (format == ImageFormat::gif) av_dict_set_int(&options, "final_delay", (last_us + 5'000) / 10'000, 0);
    const int opened = avformat_write_header(context_, &options);
    av_dict_free(&options);
    return opened >= 0;
  }

  /// Takes over what the packet refers to.
  bool write(AVPacket& packet) {
    const auto base = context_->streams[0]->time_base;
    const auto end = av_rescale_q(packet.pts + packet.duration, us_base, base);
    packet.pts = packet.dts = av_rescale_q(packet.pts, us_base, base);
    packet.duration = end - packet.pts;
    packet.stream_index = 0;
    return av_write_frame(context_, &packet) >= 0;
  }

  std::optional<std::vector<std::byte>> close() {
    if (av_write_trailer(context_) < 0) return {};
    std::uint8_t* bytes = nullptr;
    const int size = avio_close_dyn_buf(std::exchange(context_->pb, nullptr), &bytes);
    const auto* first = reinterpret_cast<const std::byte*>(bytes);
    std::vector<std::byte> file(first, first + size);
    av_free(bytes);
    return file;
  }

 private:
  AVFormatContext* context_ = nullptr;
};

}  // namespace

bool FilmFile::encode(AVCodecContext& encoder, AVFrame* picture) {
  if (avcodec_send_frame(&encoder, picture) < 0) return false;
  for (;;) {
    Packet packet(av_packet_alloc());
    if (!packet) return false;
    const int got = avcodec_receive_packet(&encoder, packet.get());
    if (got < 0) return got == AVERROR(EAGAIN) || got == AVERROR_EOF;
    packets_.push_back(std::move(packet));
  }
}

std::optional<std::vector<std::byte>> FilmFile::finish(AVCodecContext& encoder, std::int64_t end_us) {
  if (!encode(encoder, nullptr) || packets_.empty()) return {};
  // Of each picture the index has a size, a duration and whether it is a sync sample; the rest is the boxes.
  const auto index_bytes = 2'048 + packets_.size() * 16;
  Muxer muxer;
  if (!muxer.open(format_, encoder, index_bytes, end_us - packets_.back()->pts)) return {};
  for (std::size_t i = 0; i < packets_.size(); ++i) {
    auto& packet = *packets_[i];
    packet.duration = (i + 1 < packets_.size() ? packets_[i + 1]->pts : end_us) - packet.pts;
  }
  for (const auto& packet : packets_)
    if (!muxer.write(*packet)) return {};
  return muxer.close();
}

}  // namespace lookback::server::pictures::worker
