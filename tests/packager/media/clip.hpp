#pragma once
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "packager/media/track_format.hpp"
#include "store/base/bytes.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

/// Real clips for tests, read by libavformat and by the ffmpeg and ffprobe programs.
namespace lookback::test {

namespace fs = std::filesystem;
using support::TempDir;

/// What a program prints; it has to succeed.
inline std::string output_of(std::vector<std::string> command) {
  CAPTURE(command);
  auto finished = support::run(std::move(command), std::chrono::minutes(5));
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
  return std::move(finished.out);
}

/// The clips of the source tree and of the folder that LOOKBACK_EXTRA_MEDIA names. At least one must be
/// there.
inline std::vector<fs::path> clips() {
  std::vector<fs::path> found;
  const char* const extra = std::getenv("LOOKBACK_EXTRA_MEDIA");
  std::vector<fs::path> folders{support::media_folder()};
  if (extra != nullptr) folders.emplace_back(extra);
  for (const auto& folder : folders) {
    if (!fs::is_directory(folder)) {
      WARN("no media folder " << folder);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(folder)) {
      const auto type = entry.path().extension();
      if (type == ".mp4" || type == ".m4a" || type == ".ts") found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  REQUIRE(!found.empty());
  return found;
}

inline std::string codec_of(const fs::path& clip, const std::string& track) {
  return output_of({"ffprobe", "-v", "error", "-select_streams", track, "-show_entries", "stream=codec_name",
                    "-of", "csv=p=0", clip.string()});
}

/// The clip as an MP4, whose tracks carry avcC and AudioSpecificConfig; of a TS the H.264 and AAC tracks
/// alone. Empty when there are none.
inline fs::path as_mp4(const fs::path& clip, const TempDir& dir) {
  if (clip.extension() != ".ts") return clip;
  std::vector<std::string> command{"ffmpeg", "-v",          "error", "-nostdin", "-y",
                                   "-i",     clip.string(), "-c",    "copy"};
  const auto add = [&](std::initializer_list<std::string> more) { command.insert(command.end(), more); };
  const auto plain = command.size();
  if (codec_of(clip, "v:0").starts_with("h264")) add({"-map", "0:v:0"});
  if (codec_of(clip, "a:0").starts_with("aac")) add({"-map", "0:a:0", "-bsf:a", "aac_adtstoasc"});
  if (command.size() == plain) return {};
  auto out = dir.path() / (clip.stem().string() + "_remuxed.mp4");
  add({"-video_track_timescale", "90000", out.string()});
  output_of(command);
  return out;
}

struct PacketFree {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FrameFree {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct InputClose {
  void operator()(AVFormatContext* input) const { avformat_close_input(&input); }
};
struct DecoderFree {
  void operator()(AVCodecContext* decoder) const { avcodec_free_context(&decoder); }
};
using Packet = std::unique_ptr<AVPacket, PacketFree>;
using Frame = std::unique_ptr<AVFrame, FrameFree>;
using Input = std::unique_ptr<AVFormatContext, InputClose>;
using Decoder = std::unique_ptr<AVCodecContext, DecoderFree>;

/// Opens without edit lists, so that every packet of the file comes out with its own time.
inline Input open(const fs::path& path) {
  CAPTURE(path);
  AVDictionary* options = nullptr;
  av_dict_set(&options, "ignore_editlist", "1", 0);
  AVFormatContext* input = nullptr;
  const int opened = avformat_open_input(&input, path.c_str(), nullptr, &options);
  av_dict_free(&options);
  REQUIRE(opened == 0);
  return Input(input);
}

inline ByteSpan extradata(const AVCodecParameters& par) {
  return {reinterpret_cast<const std::byte*>(par.extradata), static_cast<std::size_t>(par.extradata_size)};
}

/// The tracks whose configuration stands in the file as it goes into an init section.
inline bool is_packaged(const AVCodecParameters& par) {
  const bool av1 = par.codec_id == AV_CODEC_ID_AV1 && par.extradata_size > 4;  // with its sequence header
  return av1 || par.codec_id == AV_CODEC_ID_H264 || par.codec_id == AV_CODEC_ID_HEVC ||
         par.codec_id == AV_CODEC_ID_AAC;
}

inline Result<packager::TrackFormat> parse(const AVCodecParameters& par) {
  switch (par.codec_id) {
    case AV_CODEC_ID_H264:
      return packager::parse_avc_config(extradata(par));
    case AV_CODEC_ID_HEVC:
      return packager::parse_hevc_config(extradata(par));
    case AV_CODEC_ID_AV1:
      return packager::parse_av1_config(extradata(par));
    default:
      return packager::parse_aac_config(extradata(par));
  }
}

/// What libavcodec makes of a track: its decoder and the first frame.
struct Decoded {
  Decoder decoder;
  Frame frame;
};

inline Decoded decode_first_frame(AVFormatContext& input, int track) {
  const auto& par = *input.streams[track]->codecpar;
  Decoded result{Decoder(avcodec_alloc_context3(avcodec_find_decoder(par.codec_id))),
                 Frame(av_frame_alloc())};
  // Only the configuration, not what the container says beside it.
  auto bare = std::unique_ptr<AVCodecParameters, void (*)(AVCodecParameters*)>(
      avcodec_parameters_alloc(), [](AVCodecParameters* p) { avcodec_parameters_free(&p); });
  REQUIRE(avcodec_parameters_copy(bare.get(), &par) >= 0);
  bare->width = bare->height = bare->sample_rate = 0;
  bare->sample_aspect_ratio = {0, 1};
  REQUIRE(avcodec_parameters_to_context(result.decoder.get(), bare.get()) >= 0);
  REQUIRE(avcodec_open2(result.decoder.get(), nullptr, nullptr) == 0);
  const Packet packet(av_packet_alloc());
  for (bool more = true; more;) {
    more = av_read_frame(&input, packet.get()) == 0;
    if (more && packet->stream_index != track) {
      av_packet_unref(packet.get());
      continue;
    }
    REQUIRE(avcodec_send_packet(result.decoder.get(), more ? packet.get() : nullptr) == 0);
    av_packet_unref(packet.get());
    if (avcodec_receive_frame(result.decoder.get(), result.frame.get()) == 0) return result;
  }
  FAIL("no frame could be decoded");
  return result;
}

}  // namespace lookback::test
