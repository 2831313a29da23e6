#include "server/pictures/worker/encode.hpp"

extern "C" {
#include <libavutil/opt.h>
}

#include <cmath>

namespace lookback::server::pictures::worker {
namespace {

/// JPEG is in full range, lossy WebP in video range; both with BT.601.
AVPixelFormat pixels_of(ImageFormat format) {
  return format == ImageFormat::jpeg ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
}

/// The upper left `width` by `height` pixels.
Frame converted(const Raster& raster, AVPixelFormat format, std::uint32_t width, std::uint32_t height) {
  Frame frame(av_frame_alloc());
  if (!frame || width == 0 || height == 0) return nullptr;
  frame->width = static_cast<int>(width);
  frame->height = static_cast<int>(height);
  frame->format = format;
  if (av_frame_get_buffer(frame.get(), 0) < 0) return nullptr;
  const Scaler scaler(sws_getContext(frame->width, frame->height, AV_PIX_FMT_RGB24, frame->width,
                                     frame->height, format, SWS_BILINEAR | SWS_ACCURATE_RND, nullptr, nullptr,
                                     nullptr));
  if (!scaler) return nullptr;
  sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(SWS_CS_DEFAULT), 1,
                           sws_getCoefficients(SWS_CS_ITU601), format == AV_PIX_FMT_YUVJ420P ? 1 : 0, 0,
                           1 << 16, 1 << 16);
  const std::uint8_t* const planes[4] = {raster.rgb.data(), nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(raster.width) * 3, 0, 0, 0};
  if (sws_scale(scaler.get(), planes, strides, 0, frame->height, frame->data, frame->linesize) !=
      frame->height)
    return nullptr;
  return frame;
}

/// Quality 100 to 1 is a quantiser scale of 1 to 31.
int jpeg_scale(std::uint8_t quality) {
  return 1 + static_cast<int>(std::lround((100 - quality) * 30 / 99.0));
}

CodecContext open_encoder(const AVFrame& frame, ImageFormat format, std::uint8_t quality) {
  const auto* codec = format == ImageFormat::jpeg ? avcodec_find_encoder(AV_CODEC_ID_MJPEG)
                                                  : avcodec_find_encoder_by_name("libwebp");
  if (codec == nullptr) return nullptr;
  CodecContext context(avcodec_alloc_context3(codec));
  if (!context) return nullptr;
  context->width = frame.width;
  context->height = frame.height;
  context->pix_fmt = static_cast<AVPixelFormat>(frame.format);
  context->time_base = {1, 1};
  context->thread_count = 1;
  context->flags |= AV_CODEC_FLAG_BITEXACT;  // no version in the file
  if (format == ImageFormat::jpeg) {
    context->flags |= AV_CODEC_FLAG_QSCALE;
    context->global_quality = jpeg_scale(quality) * FF_QP2LAMBDA;
    context->color_range = AVCOL_RANGE_JPEG;
  } else {
    av_opt_set_double(context->priv_data, "quality", quality, 0);
    context->compression_level = 3;  // half the time of the default for 3 % more bytes
  }
  if (avcodec_open2(context.get(), codec, nullptr) < 0) return nullptr;
  return context;
}

}  // namespace

std::optional<std::vector<std::byte>> encode_image(const Raster& raster, ImageFormat format,
                                                   std::uint8_t quality) {
  const auto frame = converted(raster, pixels_of(format), raster.width, raster.height);
  if (!frame) return {};
  const auto context = open_encoder(*frame, format, quality);
  const Packet packet(av_packet_alloc());
  if (!context || !packet) return {};
  frame->pts = 0;
  frame->quality = context->global_quality;
  if (avcodec_send_frame(context.get(), frame.get()) < 0) return {};
  avcodec_send_frame(context.get(), nullptr);
  if (avcodec_receive_packet(context.get(), packet.get()) < 0) return {};
  const auto* first = reinterpret_cast<const std::byte*>(packet->data);
  return std::vector<std::byte>(first, first + packet->size);
}

Frame to_yuv420(const Raster& raster, Sides sides) {
  const auto mask = sides == Sides::even ? ~1u : ~0u;
  return converted(raster, AV_PIX_FMT_YUV420P, raster.width & mask, raster.height & mask);
}

}  // namespace lookback::server::pictures::worker
