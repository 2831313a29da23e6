#include "server/pictures/worker/render.hpp"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>

#include "server/pictures/worker/tone_map.hpp"

namespace lookback::server::pictures::worker {
namespace {

using std::uint32_t;

uint32_t rounded(double side) {
  return static_cast<uint32_t>(std::clamp(std::lround(side), 1l, static_cast<long>(max_output_side)));
}

/// Right angles, clockwise, by which the picture has to be turned to stand upright.
int quarter_turns(const AVFrame& frame) {
  const auto* side = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (side == nullptr || side->size < 9 * sizeof(std::int32_t)) return 0;
  const double counterclockwise = av_display_rotation_get(reinterpret_cast<const std::int32_t*>(side->data));
  if (!std::isfinite(counterclockwise)) return 0;
  return static_cast<int>(std::lround(-counterclockwise / 90) % 4 + 4) % 4;
}

struct Size {
  uint32_t width = 0, height = 0;
};

/// With square pixels: the longer side of a pixel stretches, as in the playlists' RESOLUTION.
Size shown_size(const AVFrame& frame) {
  const auto sar = frame.sample_aspect_ratio;
  const auto width = static_cast<double>(frame.width), height = static_cast<double>(frame.height);
  if (sar.num <= 0 || sar.den <= 0) return {rounded(width), rounded(height)};
  const double ratio = std::clamp(static_cast<double>(sar.num) / sar.den, 0.1, 10.0);
  return {rounded(width * ratio), rounded(height)};
}

/// BT.601 or BT.709 where the stream does not say: as players take it.
int matrix_of(const AVFrame& frame) {
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_BT470BG:
      return SWS_CS_ITU601;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    default:
      return frame.height > 576 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  }
}

bool is_full_range(const AVFrame& frame) {
  const auto format = frame.format;
  return frame.color_range == AVCOL_RANGE_JPEG || format == AV_PIX_FMT_YUVJ420P ||
         format == AV_PIX_FMT_YUVJ422P || format == AV_PIX_FMT_YUVJ444P || format == AV_PIX_FMT_YUVJ440P;
}

/// Cuts off what `cover` has no room for, in the picture's own samples.
void crop(AVFrame& frame, Size shown, const Shape& shape, bool sideways) {
  const auto cut_x = sideways ? shape.crop_height : shape.crop_width;
  const auto cut_y = sideways ? shape.crop_width : shape.crop_height;
  const auto half = [](uint32_t cut, uint32_t seen, int coded) {
    const auto cut_coded = static_cast<std::size_t>(static_cast<double>(cut) * coded / seen / 2);
    return std::min(cut_coded, static_cast<std::size_t>(coded - 1) / 2) & ~std::size_t{1};
  };
  frame.crop_left = frame.crop_right = half(cut_x, shown.width, frame.width);
  frame.crop_top = frame.crop_bottom = half(cut_y, shown.height, frame.height);
  av_frame_apply_cropping(&frame, AV_FRAME_CROP_UNALIGNED);
}

/// Scales the picture, or its first field, to `to` in `format`. Not 0: it cannot be done.
int scale(const AVFrame& frame, Size to, AVPixelFormat format, std::uint8_t* out, int out_stride) {
  const int fields = frame.interlaced_frame && frame.height >= 4 ? 2 : 1;
  const int rows = frame.height / fields;
  int strides[4];
  for (int plane = 0; plane < 4; ++plane) strides[plane] = frame.linesize[plane] * fields;
  const Scaler scaler(sws_getContext(frame.width, rows, static_cast<AVPixelFormat>(frame.format),
                                     static_cast<int>(to.width), static_cast<int>(to.height), format,
                                     SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr,
                                     nullptr));
  if (!scaler) return -1;
  sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(matrix_of(frame)), is_full_range(frame) ? 1 : 0,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
  std::uint8_t* const planes[4] = {out, nullptr, nullptr, nullptr};
  const int out_strides[4] = {out_stride, 0, 0, 0};
  const int done = sws_scale(scaler.get(), frame.data, strides, 0, rows, planes, out_strides);
  return done == static_cast<int>(to.height) ? 0 : -1;
}

Raster scaled_sdr(const AVFrame& frame, Size to) {
  Raster raster(to.width, to.height);
  const int stride = static_cast<int>(to.width * 3);
  return scale(frame, to, AV_PIX_FMT_RGB24, raster.rgb.data(), stride) == 0 ? std::move(raster) : Raster();
}

Raster scaled_hdr(const AVFrame& frame, Size to, Transfer transfer) {
  std::vector<std::uint16_t> deep(std::size_t{3} * to.width * to.height);
  const int stride = static_cast<int>(to.width * 6);
  if (scale(frame, to, AV_PIX_FMT_RGB48LE, reinterpret_cast<std::uint8_t*>(deep.data()), stride) != 0)
    return {};
  Raster raster(to.width, to.height);
  tone_map(deep, transfer, frame.color_primaries == AVCOL_PRI_BT2020, raster.rgb);
  return raster;
}

Raster scaled(const AVFrame& frame, Size to) {
  if (frame.color_trc == AVCOL_TRC_SMPTE2084) return scaled_hdr(frame, to, Transfer::pq);
  if (frame.color_trc == AVCOL_TRC_ARIB_STD_B67) return scaled_hdr(frame, to, Transfer::hlg);
  return scaled_sdr(frame, to);
}

}  // namespace

Shape shape_for(uint32_t width, uint32_t height, const Output& output) {
  const double w = width, h = height;
  const double across = output.width == 0 ? 0 : output.width / w,
               down = output.height == 0 ? 0 : output.height / h;
  if (output.fit == Fit::contain || across == 0 || down == 0) {
    double factor = across == 0 ? down : down == 0 ? across : std::min(across, down);
    if (factor == 0) factor = 1;
    if (output.fit == Fit::contain) factor = std::min(factor, 1.0);
    return {rounded(w * factor), rounded(h * factor), 0, 0};
  }
  Shape shape{output.width, output.height, 0, 0};
  if (output.fit == Fit::cover) {
    const double factor = std::max(across, down);
    shape.crop_width = static_cast<uint32_t>(std::max(0.0, w - output.width / factor));
    shape.crop_height = static_cast<uint32_t>(std::max(0.0, h - output.height / factor));
  }
  return shape;
}

/// In the middle of exactly the output's size.
Raster padded(AVFrame& frame, Output output) {
  Raster cell(output.width, output.height);
  output.fit = Fit::contain;
  const auto picture = render(frame, output);
  if (picture.rgb.empty()) return {};
  lay(cell, picture, 0, 0, cell.width, cell.height);
  return cell;
}

Raster render(AVFrame& frame, const Output& output) {
  if (output.fit == Fit::pad && output.width != 0 && output.height != 0) return padded(frame, output);
  if (frame.width <= 0 || frame.height <= 0) return {};
  const int turns = quarter_turns(frame);
  const bool sideways = turns % 2 != 0;
  const auto shown = shown_size(frame);
  const auto shape =
      sideways ? shape_for(shown.height, shown.width, output) : shape_for(shown.width, shown.height, output);
  if (shape.crop_width != 0 || shape.crop_height != 0) crop(frame, shown, shape, sideways);
  const Size to = sideways ? Size{shape.height, shape.width} : Size{shape.width, shape.height};
  return turned(scaled(frame, to), turns);
}

}  // namespace lookback::server::pictures::worker
