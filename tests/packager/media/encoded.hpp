#pragma once
#include <optional>
#include <string>
#include <vector>

#include "packager/media/audio_packet.hpp"
#include "packager/media/flac.hpp"
#include "packager/media/opus.hpp"
#include "packager/media/track_format.hpp"
#include "packager/media/vp9.hpp"
#include "tests/packager/media/clip.hpp"

/// Files of every codec, encoded at test time by the ffmpeg program.
namespace lookback::test {

/// One track of a few seconds: ffmpeg's options of output, and what comes before its input's filters.
struct Encoding {
  std::string codec;                 ///< libavcodec's name of the decoder: "hevc"
  std::vector<std::string> options;  ///< of the output
  std::string source = {};           ///< lavfi; empty: the usual picture or sound
  std::string container = "mp4";
  bool is_video() const { return codec == "hevc" || codec == "av1" || codec == "vp9" || codec == "h264"; }
};

inline fs::path encode(const Encoding& encoding, const TempDir& dir) {
  const auto file = dir.path() / ("encoded." + encoding.container);
  const std::string usual = encoding.is_video() ? "testsrc2=size=320x240:rate=25:duration=2"
                                                : "sine=frequency=440:sample_rate=48000:duration=2";
  std::vector<std::string> command{"ffmpeg",   "-v", "error",
                                   "-nostdin", "-y", "-f",
                                   "lavfi",    "-i", encoding.source.empty() ? usual : encoding.source};
  command.insert(command.end(), encoding.options.begin(), encoding.options.end());
  command.push_back(file.string());
  output_of(command);
  return file;
}

/// The format of a file's track as an ingest would find it: the configuration of the file, and the first
/// packet where that tells more.
inline Result<packager::TrackFormat> format_of(const fs::path& file, int index) {
  using packager::Codec;
  const auto input = open(file);
  const auto& par = *input->streams[index]->codecpar;
  const Packet packet(av_packet_alloc());
  while (av_read_frame(input.get(), packet.get()) == 0 && packet->stream_index != index)
    av_packet_unref(packet.get());
  const ByteSpan first{reinterpret_cast<const std::byte*>(packet->data),
                       static_cast<std::size_t>(packet->size)};
  const auto of_frame = [&](Codec codec) { return packager::format_of_frame(codec, first, nullptr); };
  switch (par.codec_id) {
    case AV_CODEC_ID_VP9: {
      const auto config = packager::vp9_config(first);
      return config ? packager::parse_vp9_config(*config) : Result<packager::TrackFormat>(config.error());
    }
    case AV_CODEC_ID_OPUS: {
      const auto box = packager::opus_config(extradata(par));
      return box ? packager::parse_opus_config(*box) : Result<packager::TrackFormat>(box.error());
    }
    case AV_CODEC_ID_FLAC:
      return packager::parse_flac_config(extradata(par));
    case AV_CODEC_ID_AC3:
      return of_frame(Codec::ac3);
    case AV_CODEC_ID_EAC3:
      return of_frame(Codec::eac3);
    case AV_CODEC_ID_MP3:
      return of_frame(Codec::mp3);
    default:
      return parse(par);
  }
}

}  // namespace lookback::test
