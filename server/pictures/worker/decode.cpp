#include "server/pictures/worker/decode.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "packager/media/track_format.hpp"

namespace lookback::server::pictures::worker {
namespace {

/// No decoder is given a picture with a longer side, whatever its area.
constexpr int max_side = 16'383;

AVCodecID codec_id(CodecNumber number) {
  if (number == jpeg_source) return AV_CODEC_ID_MJPEG;
  switch (static_cast<packager::Codec>(number)) {
    case packager::Codec::avc:
      return AV_CODEC_ID_H264;
    case packager::Codec::hevc:
      return AV_CODEC_ID_HEVC;
    case packager::Codec::av1:
      return AV_CODEC_ID_AV1;
    case packager::Codec::vp9:
      return AV_CODEC_ID_VP9;
    default:
      return AV_CODEC_ID_NONE;
  }
}

/// VP9's configuration is our own and is in its pictures as well.
bool takes_config(AVCodecID id) {
  return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC || id == AV_CODEC_ID_AV1;
}

/// What the decoder has refused, for its owner.
struct Refusal {
  bool too_large = false;
  std::uint64_t max_pixels = 0;
};

bool is_too_large(const Refusal& refusal, std::int64_t width, std::int64_t height) {
  return width > max_side || height > max_side ||
         static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height) > refusal.max_pixels;
}

/// The last look before memory is taken: the picture's size is known, its buffer is not there yet.
int give_buffer(AVCodecContext* context, AVFrame* frame, int flags) {
  auto& refusal = *static_cast<Refusal*>(context->opaque);
  if (is_too_large(refusal, frame->width, frame->height)) {
    refusal.too_large = true;
    return AVERROR(EINVAL);
  }
  return avcodec_default_get_buffer2(context, frame, flags);
}

bool set_config(AVCodecContext& context, const std::vector<std::byte>& config) {
  context.extradata = static_cast<std::uint8_t*>(av_mallocz(config.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  if (context.extradata == nullptr) return false;
  std::memcpy(context.extradata, config.data(), config.size());
  context.extradata_size = static_cast<int>(config.size());
  return true;
}

/// Gives out what is wanted of pictures that come in the order of their time.
class Chooser {
 public:
  Chooser(const std::vector<std::int64_t>& wanted, const OnPicture& on_picture)
      : wanted_(wanted), on_picture_(on_picture) {}

  void take(AVFrame& frame) {
    if (wanted_.empty()) return on_picture_(frame);
    while (next_ < wanted_.size() && last_ && frame.pts > wanted_[next_]) give_last();
    last_.reset(av_frame_clone(&frame));
  }
  void finish() {
    while (last_ && next_ < wanted_.size()) give_last();
  }
  bool has_all() const { return !wanted_.empty() && next_ == wanted_.size(); }

 private:
  void give_last() {
    ++next_;
    on_picture_(*last_);
  }

  const std::vector<std::int64_t>& wanted_;
  const OnPicture& on_picture_;
  std::size_t next_ = 0;
  Frame last_;
};

/// By sample: whether its own picture is wanted. The others need to be decoded only as far as those refer to
/// them.
std::vector<bool> own_picture_wanted(const Source& source) {
  std::vector<bool> out(source.samples.size(), source.wanted.empty());
  if (source.wanted.empty()) return out;
  std::vector<std::size_t> by_time(source.samples.size());
  std::iota(by_time.begin(), by_time.end(), std::size_t{0});
  const auto earlier = [&](std::size_t a, std::size_t b) {
    return source.samples[a].pts < source.samples[b].pts;
  };
  std::sort(by_time.begin(), by_time.end(), earlier);
  std::size_t at = 0;
  for (const auto instant : source.wanted) {
    while (at + 1 < by_time.size() && source.samples[by_time[at + 1]].pts <= instant) ++at;
    if (at < by_time.size()) out[by_time[at]] = true;
  }
  return out;
}

CodecContext open_decoder(const AVCodec& codec, const Source& source, Refusal& refusal) {
  CodecContext context(avcodec_alloc_context3(&codec));
  if (!context) return nullptr;
  context->opaque = &refusal;
  context->get_buffer2 = give_buffer;
  context->thread_count = 1;
  context->thread_type = 0;
  context->max_pixels = static_cast<std::int64_t>(std::min<std::uint64_t>(refusal.max_pixels, INT32_MAX));
  context->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;  // the first picture after a recovery point is whole enough
  context->flags2 |= AV_CODEC_FLAG2_SHOW_ALL;
  context->pkt_timebase = {1, 1'000'000};
  if (takes_config(codec.id) && !source.config.empty() && !set_config(*context, source.config))
    return nullptr;
  if (avcodec_open2(context.get(), &codec, nullptr) < 0) return nullptr;
  return context;
}

/// Which pictures need no loop filter: blocks of 4 or more samples are less than two pixels where a picture
/// is shown in half its size.
AVDiscard unseen_loop_filter(const AVCodecContext& context, const Source& source, std::uint32_t shown_width) {
  const bool halved =
      shown_width != 0 && static_cast<std::uint32_t>(std::max(0, context.width)) >= 2 * shown_width;
  if (!halved) return AVDISCARD_DEFAULT;
  return source.samples.size() == 1 ? AVDISCARD_ALL : AVDISCARD_NONREF;
}

/// The decoder reads some bytes past the end: those are zero.
bool fill(AVPacket& packet, const Sample& sample) {
  av_packet_unref(&packet);
  const auto bytes = sample.bytes.bytes;
  if (bytes.empty() || bytes.size() > std::numeric_limits<int>::max() - AV_INPUT_BUFFER_PADDING_SIZE)
    return false;
  if (av_new_packet(&packet, static_cast<int>(bytes.size())) < 0) return false;
  std::memcpy(packet.data, bytes.data(), bytes.size());
  packet.pts = sample.pts;
  packet.flags = AV_PKT_FLAG_KEY;
  return true;
}

void drain(AVCodecContext& context, AVFrame& frame, Chooser& chooser) {
  while (avcodec_receive_frame(&context, &frame) == 0) {
    if (frame.pts == AV_NOPTS_VALUE) frame.pts = frame.best_effort_timestamp;
    chooser.take(frame);
    av_frame_unref(&frame);
  }
}

}  // namespace

Verdict decode(const Source& source, const DecodeOptions& options, const OnPicture& on_picture) {
  const auto* codec = avcodec_find_decoder(codec_id(source.codec));
  if (codec == nullptr) return Verdict::unsupported;
  Refusal refusal{false, options.max_pixels};
  const auto context = open_decoder(*codec, source, refusal);
  if (!context) return Verdict::done;  // its configuration is damaged
  const Packet packet(av_packet_alloc());
  const Frame frame(av_frame_alloc());
  if (!packet || !frame) return Verdict::out_of_memory;
  context->skip_loop_filter = unseen_loop_filter(*context, source, options.shown_width);
  Chooser chooser(source.wanted, on_picture);
  const auto own_wanted = own_picture_wanted(source);
  for (std::size_t i = 0; i < source.samples.size(); ++i) {
    if (chooser.has_all() || refusal.too_large) break;
    if (!fill(*packet, source.samples[i])) continue;
    context->skip_frame = own_wanted[i] ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
    if (avcodec_send_packet(context.get(), packet.get()) == AVERROR(ENOMEM)) return Verdict::out_of_memory;
    if (is_too_large(refusal, context->coded_width, context->coded_height)) refusal.too_large = true;
    drain(*context, *frame, chooser);
  }
  avcodec_send_packet(context.get(), nullptr);
  drain(*context, *frame, chooser);
  chooser.finish();
  return refusal.too_large ? Verdict::too_large : Verdict::done;
}

}  // namespace lookback::server::pictures::worker
