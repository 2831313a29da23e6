// Fills a store with hours of a stream in seconds: a clip goes round and round through the packager, with a
// made-up clock.
//
//   fill_store FOLDER STREAM CLIP SECONDS    the stream ends now; FOLDER is made, or gets one stream more
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "packager/stream_packager.hpp"
#include "store/store.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace {

using namespace lookback;

constexpr std::uint64_t most_queued_bytes = 64u << 20;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "fill_store: %s\n", what.c_str());
  std::exit(1);
}

struct InputClose {
  void operator()(AVFormatContext* input) const { avformat_close_input(&input); }
};
struct PacketFree {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};

/// A clip in memory. Its samples are shared by all rounds.
struct Clip {
  std::vector<packager::TrackFormat> formats;
  std::vector<packager::SourceSample> samples;
  std::int64_t length_us = 0;
};

Clip read_clip(const char* path) {
  AVFormatContext* opened = nullptr;
  if (avformat_open_input(&opened, path, nullptr, nullptr) != 0) fail(std::string("cannot open ") + path);
  const std::unique_ptr<AVFormatContext, InputClose> input(opened);
  Clip clip;
  for (unsigned i = 0; i < input->nb_streams; ++i) {
    const auto& par = *input->streams[i]->codecpar;
    const ByteSpan config(reinterpret_cast<const std::byte*>(par.extradata),
                          static_cast<std::size_t>(par.extradata_size));
    auto format = par.codec_id == AV_CODEC_ID_H264 ? packager::parse_avc_config(config)
                                                   : packager::parse_aac_config(config);
    if (!format) fail("the clip holds more than H.264 and AAC");
    clip.formats.push_back(std::move(*format));
  }
  const std::unique_ptr<AVPacket, PacketFree> packet(av_packet_alloc());
  const AVRational us{1, 1'000'000};
  for (; av_read_frame(input.get(), packet.get()) == 0; av_packet_unref(packet.get())) {
    const auto* const stream = input->streams[packet->stream_index];
    packager::SourceSample sample;
    sample.kind = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO ? packager::MediaKind::video
                                                                     : packager::MediaKind::audio;
    sample.dts_us = av_rescale_q(packet->dts, stream->time_base, us);
    sample.composition_us =
        static_cast<std::int32_t>(av_rescale_q(packet->pts - packet->dts, stream->time_base, us));
    sample.sync = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    const auto* const data = reinterpret_cast<const std::byte*>(packet->data);
    sample.payload = make_slice(std::vector<std::byte>(data, data + packet->size));
    if (sample.kind == packager::MediaKind::video)
      clip.length_us =
          std::max(clip.length_us, sample.dts_us + av_rescale_q(packet->duration, stream->time_base, us));
    clip.samples.push_back(std::move(sample));
  }
  if (clip.samples.empty() || clip.length_us == 0) fail("the clip has no video");
  return clip;
}

/// Gives the packager's outputs to the store, which must keep all of them.
void hand_over(store::Store& store, store::StreamId stream, packager::Outputs& outputs) {
  while (store.queued_bytes() > most_queued_bytes) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (auto& output : outputs) {
    if (const auto* record = std::get_if<store::StreamRecord>(&output)) {
      store.put_stream(*record);
    } else if (const auto* track = std::get_if<packager::NewTrack>(&output)) {
      store.put_track(stream, track->record);
    } else if (const auto* init = std::get_if<packager::NewInit>(&output)) {
      store.put_init(stream, init->record);
    } else {
      store.append(std::move(std::get<store::Append>(output)), [](Result<store::SegmentRecord> stored) {
        if (!stored) fail("the store took no more: " + stored.error().message());
      });
    }
  }
  outputs.clear();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) fail("usage: fill_store FOLDER STREAM CLIP SECONDS");
  const auto clip = read_clip(argv[3]);
  const auto length_us = static_cast<std::int64_t>(std::atof(argv[4]) * 1e6);
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  store::Options options;
  options.path = argv[1];
  options.reserve_bytes = 1u << 20;
  auto opened = store::Store::open(options);
  if (!opened) fail("cannot open the store: " + opened.error().message());
  auto& store = **opened;
  auto record = store.open_stream(argv[2]).value();
  record.epoch_us = now_us - length_us - 10'000'000;

  packager::Outputs outputs;
  packager::StreamPackager packager({}, record, {}, outputs);
  for (const auto& format : clip.formats) {
    if (!packager.set_format(format, now_us - length_us, outputs)) fail("the format is not packaged");
  }
  for (std::int64_t round_us = 0; round_us < length_us; round_us += clip.length_us) {
    for (auto sample : clip.samples) {
      sample.dts_us += round_us;
      if (sample.dts_us >= length_us) continue;
      if (!packager.push(sample, now_us - length_us + sample.dts_us, outputs)) fail("a sample was refused");
      if (outputs.size() > 100) hand_over(store, record.id, outputs);
    }
  }
  if (!packager.end_session(outputs)) fail("the session could not be ended");
  hand_over(store, record.id, outputs);
  store.flush();
  return 0;
}
