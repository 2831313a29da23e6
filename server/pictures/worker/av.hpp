#pragma once
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}
#include <memory>

/// FFmpeg's objects with owners. Only the picture worker includes this.
namespace lookback::server::pictures::worker {

struct AvFree {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};

using CodecContext = std::unique_ptr<AVCodecContext, AvFree>;
using Frame = std::unique_ptr<AVFrame, AvFree>;
using Packet = std::unique_ptr<AVPacket, AvFree>;
using Scaler = std::unique_ptr<SwsContext, AvFree>;

}  // namespace lookback::server::pictures::worker
