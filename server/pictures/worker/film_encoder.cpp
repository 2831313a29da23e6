#include "server/pictures/worker/film_encoder.hpp"

extern "C" {
#include <libavutil/opt.h>
}

#include <algorithm>
#include <cstring>

#include "server/pictures/worker/encode.hpp"
#include "server/pictures/worker/film_file.hpp"
#include "server/pictures/worker/palette.hpp"

namespace lookback::server::pictures::worker {
namespace {

CodecContext new_encoder(const char* name, const AVFrame& first) {
  const auto* codec = avcodec_find_encoder_by_name(name);
  CodecContext context(codec == nullptr ? nullptr : avcodec_alloc_context3(codec));
  if (!context) return nullptr;
  context->width = first.width;
  context->height = first.height;
  context->pix_fmt = static_cast<AVPixelFormat>(first.format);
  context->time_base = {1, 1'000'000};
  context->thread_count = 1;
  context->flags |= AV_CODEC_FLAG_BITEXACT;
  return context;
}

/// Every picture of its own: WebP has no motion, and the encoder for animations, which looks for what has
/// changed, goes through RGB twice for 10 % fewer bytes.
CodecContext webp_encoder(const AVFrame& first, std::uint8_t quality) {
  auto context = new_encoder("libwebp", first);
  if (!context) return nullptr;
  av_opt_set_double(context->priv_data, "quality", quality, 0);
  context->compression_level = 2;  // 0 and 1 are quicker, and spoil dark pictures
  return avcodec_open2(context.get(), nullptr, nullptr) < 0 ? nullptr : std::move(context);
}

/// Plays everywhere and is quick: no pictures that wait for others, a sync sample each 2 s at 15 fps.
CodecContext mp4_encoder(const AVFrame& first, std::uint8_t quality) {
  auto context = new_encoder("libx264", first);
  if (!context) return nullptr;
  context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  context->max_b_frames = 0;
  context->gop_size = 30;
  context->color_range = AVCOL_RANGE_MPEG;
  context->colorspace = AVCOL_SPC_SMPTE170M;
  av_opt_set(context->priv_data, "preset", "veryfast", 0);
  av_opt_set(context->priv_data, "profile", "main", 0);
  av_opt_set(context->priv_data, "x264-params", "sync-lookahead=0:rc-lookahead=10", 0);
  av_opt_set_double(context->priv_data, "crf", 38 - quality * 0.2, 0);
  return avcodec_open2(context.get(), nullptr, nullptr) < 0 ? nullptr : std::move(context);
}

/// WebP and MP4: each picture is encoded as it comes.
class YuvFilm final : public FilmEncoder {
 public:
  YuvFilm(ImageFormat format, std::uint8_t quality) : format_(format), quality_(quality), file_(format) {}

  bool add(const Raster& picture, std::int64_t begin_us) override {
    const auto frame = to_yuv420(picture, format_ == ImageFormat::mp4 ? Sides::even : Sides::any);
    if (!frame) return false;
    if (!encoder_)
      encoder_ = format_ == ImageFormat::mp4 ? mp4_encoder(*frame, quality_) : webp_encoder(*frame, quality_);
    if (!encoder_) return false;
    frame->pts = begin_us;
    return file_.encode(*encoder_, frame.get());
  }

  std::optional<std::vector<std::byte>> finish(std::int64_t end_us) override {
    if (!encoder_) return {};
    return file_.finish(*encoder_, end_us);
  }

 private:
  const ImageFormat format_;
  const std::uint8_t quality_;
  FilmFile file_;
  CodecContext encoder_;
};

/// GIF: one palette for all pictures, so they are kept until the last is there.
class GifFilm final : public FilmEncoder {
 public:
  bool add(const Raster& picture, std::int64_t begin_us) override {
    palette_.look_at(picture);
    pictures_.push_back({picture, begin_us});
    return true;
  }

  std::optional<std::vector<std::byte>> finish(std::int64_t end_us) override {
    palette_.choose();
    FilmFile file(ImageFormat::gif);
    CodecContext encoder;
    for (auto& [picture, begin_us] : pictures_) {
      const auto frame = painted(picture);
      picture = {};
      if (!frame) return {};
      if (!encoder) {
        encoder = new_encoder("gif", *frame);
        if (!encoder || avcodec_open2(encoder.get(), nullptr, nullptr) < 0) return {};
      }
      frame->pts = begin_us;
      if (!file.encode(*encoder, frame.get())) return {};
    }
    if (!encoder) return {};
    return file.finish(*encoder, end_us);
  }

 private:
  struct Kept {
    Raster picture;
    std::int64_t begin_us = 0;
  };

  Frame painted(const Raster& picture) const {
    Frame frame(av_frame_alloc());
    if (!frame) return nullptr;
    frame->width = static_cast<int>(picture.width);
    frame->height = static_cast<int>(picture.height);
    frame->format = AV_PIX_FMT_PAL8;
    if (av_frame_get_buffer(frame.get(), 0) < 0) return nullptr;
    std::memcpy(frame->data[1], palette_.colours().data(), sizeof(std::uint32_t) * Palette::size);
    for (std::uint32_t y = 0; y < picture.height; ++y)
      palette_.paint(picture, y, frame->data[0] + static_cast<std::ptrdiff_t>(y) * frame->linesize[0]);
    return frame;
  }

  Palette palette_;
  std::vector<Kept> pictures_;
};

}  // namespace

std::unique_ptr<FilmEncoder> make_film_encoder(ImageFormat format, std::uint8_t quality) {
  if (format == ImageFormat::gif) return std::make_unique<GifFilm>();
  return std::make_unique<YuvFilm>(format, quality);
}

}  // namespace lookback::server::pictures::worker
