#pragma once
#include <fstream>
#include <sstream>
#include <string>

#include "server/pictures/job.hpp"
#include "tests/packager/media/clip.hpp"
#include "tests/support/images.hpp"

/// Sources for picture jobs out of films, and the ffmpeg program as their judge.
namespace lookback::test {

using namespace server;  // NOLINT: tests only

/// The samples of a film's video track from a sync sample on; `pts` in ticks of the file's time base.
inline pictures::Source read_film(const fs::path& file, std::size_t samples,
                                  std::size_t skipped_sync_samples = 0) {
  av_log_set_level(AV_LOG_FATAL);
  const auto input = open(file);
  REQUIRE(avformat_find_stream_info(input.get(), nullptr) >= 0);
  const int track = av_find_best_stream(input.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  REQUIRE(track >= 0);
  const auto& par = *input->streams[track]->codecpar;
  pictures::Source source;
  switch (par.codec_id) {
    case AV_CODEC_ID_HEVC:
      source.codec = static_cast<pictures::CodecNumber>(packager::Codec::hevc);
      break;
    case AV_CODEC_ID_AV1:
      source.codec = static_cast<pictures::CodecNumber>(packager::Codec::av1);
      break;
    case AV_CODEC_ID_VP9:
      source.codec = static_cast<pictures::CodecNumber>(packager::Codec::vp9);
      break;
    default:
      source.codec = static_cast<pictures::CodecNumber>(packager::Codec::avc);
  }
  const auto config = extradata(par);
  source.config.assign(config.begin(), config.end());
  const Packet packet(av_packet_alloc());
  while (source.samples.size() < samples && av_read_frame(input.get(), packet.get()) == 0) {
    const bool sync = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    if (packet->stream_index == track && (!source.samples.empty() || (sync && skipped_sync_samples-- == 0))) {
      const auto* first = reinterpret_cast<const std::byte*>(packet->data);
      source.samples.push_back(
          {packet->pts, make_slice(std::vector<std::byte>(first, first + packet->size))});
    }
    av_packet_unref(packet.get());
  }
  REQUIRE(source.samples.size() == samples);
  return source;
}

inline fs::path write_image(const fs::path& file, const std::vector<std::byte>& bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(out.flush().good());
  return file;
}

/// "640x360" of a picture file.
inline std::string size_of_image(const fs::path& file) {
  auto text = output_of({"ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of",
                         "csv=p=0:s=x", file.string()});
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

/// What ffmpeg makes of a film: its picture at `seconds`, through `filter`, as PNG.
inline fs::path ffmpeg_picture(const fs::path& film, const fs::path& out, const std::string& filter,
                               const std::string& seconds = "0") {
  std::vector<std::string> command{"ffmpeg", "-v", "error", "-nostdin", "-y"};
  if (seconds != "0")
    command.insert(command.end(), {"-ss", seconds});  // a file of one picture cannot be sought in
  command.insert(command.end(), {"-i", film.string(), "-frames:v", "1", "-vf", filter, out.string()});
  output_of(command);
  return out;
}

using support::similarity;

}  // namespace lookback::test
