// Publishes a file by Enhanced RTMP, in real time and without encoding: HEVC, AV1, VP9, Opus, AC-3, E-AC-3,
// MP3 and FLAC, next to H.264 and AAC. FFmpeg before 6.1 and OBS before 30 cannot send most of them.
//
//   lookback_publish [--loop] [--fast] [--all-tracks] FILE rtmp://HOST[:PORT]/APP/NAME[?key=SECRET]
//
// FILE: MP4 or Matroska (or anything that carries configurations as these do). One video and one audio track
// go out, or all as multitrack messages, each packet when it is due. Exit codes: 0 at the end of the file or
// at SIGINT or SIGTERM, 1 the file or the server failed, 2 wrong arguments.
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tools/publish/clip.hpp"
#include "tools/publish/rtmp_client.hpp"
#include "tools/publish/tags.hpp"

namespace {

using namespace lookback::publish;
namespace amf0 = lookback::server::rtmp::amf0;
using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

std::atomic<bool> stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // the signal handler writes it

void stop(int) { stopping = true; }

struct Arguments {
  bool loop = false, fast = false, all_tracks = false;
  std::string file;
  Address address;
};

std::optional<Arguments> parse(std::vector<std::string> words) {
  Arguments arguments;
  arguments.loop = std::erase(words, "--loop") > 0;
  arguments.fast = std::erase(words, "--fast") > 0;
  arguments.all_tracks = std::erase(words, "--all-tracks") > 0;
  if (words.size() != 2) return std::nullopt;
  const auto address = parse_address(words[1]);
  if (!address) return std::nullopt;
  arguments.file = words[0];
  arguments.address = *address;
  return arguments;
}

double fourcc_number(std::string_view code) {
  double number = 0;
  for (const char c : code) number = number * 256 + static_cast<unsigned char>(c);
  return number;
}

/// What onMetaData says of a track.
void describe(const AVCodecParameters& track, std::vector<amf0::Property>& out) {
  const bool is_video = track.codec_type == AVMEDIA_TYPE_VIDEO;
  if (is_video) {
    out.push_back({"width", {static_cast<double>(track.width)}});
    out.push_back({"height", {static_cast<double>(track.height)}});
  } else {
    out.push_back({"audiosamplerate", {static_cast<double>(track.sample_rate)}});
  }
  out.push_back({is_video ? "videocodecid" : "audiocodecid", {fourcc_number(fourcc_of(track.codec_id))}});
}

/// Those of the tracks numbered 0, and maps of the others by their number. Languages are an addition of ours.
amf0::EcmaArray metadata(const Clip& clip) {
  amf0::EcmaArray out;
  amf0::Object video, audio;
  for (const auto& track : clip.tracks()) {
    if (track.number == 0) describe(*track.parameters, out.properties);
    amf0::Object info;
    describe(*track.parameters, info.properties);
    if (!track.language.empty()) info.properties.push_back({"language", {track.language}});
    auto& map = track.is_video() ? video : audio;
    map.properties.push_back({std::to_string(track.number), {std::move(info)}});
  }
  out.properties.push_back({"videoTrackIdInfoMap", {std::move(video)}});
  out.properties.push_back({"audioTrackIdInfoMap", {std::move(audio)}});
  out.properties.push_back({"encoder", {std::string("lookback_publish")}});
  return out;
}

/// Sends the packets of a clip on one connection. Lives for one run.
class Publisher {
 public:
  Publisher(const Clip& clip, const Arguments& arguments) : clip_(clip), arguments_(arguments) {
    std::vector<std::string_view> codes;
    bool several = false;
    for (const auto& track : clip.tracks()) {
      const auto [writer, fresh] = writers_.try_emplace(track.stream, *track.parameters, track.number);
      codes.push_back(writer->second.fourcc());
      several = several || track.number > 0;
    }
    client_.emplace(arguments.address, codes, several);
  }

  void run() {
    client_->send_metadata(metadata(clip_));
    announce();
    const auto start = Clock::now();
    for (std::int64_t turn_us = 0;; turn_us += clip_.period_us()) {
      for (const auto& packet : clip_.packets()) {
        if (!arguments_.fast) std::this_thread::sleep_until(start + microseconds(turn_us + packet->dts));
        if (stopping) return client_->finish();
        send(*packet, turn_us);
      }
      if (!arguments_.loop) return client_->finish();
    }
  }

 private:
  /// The configurations, before any frame: then the server knows how many tracks there are.
  void announce() {
    std::set<int> known;
    for (const auto& packet : clip_.packets()) {
      if (!known.insert(packet->stream_index).second) continue;
      const auto header = writer(*packet).sequence_start(*packet);
      if (!header.empty()) client_->send(kind(*packet), 0, header);
      if (known.size() == writers_.size()) return;
    }
  }

  /// Times are whole milliseconds; the rest goes as nanoseconds to a server that adds them.
  void send(const AVPacket& packet, std::int64_t turn_us) {
    const auto time_us = packet.dts + turn_us;
    const auto time_ms = time_us / 1'000;
    const auto rest_us = client_->takes_nanoseconds() ? time_us % 1'000 : 0;
    const auto composition_ms = (packet.pts - packet.dts + 500) / 1'000;  // never negative in these files
    const auto message = writer(packet).frame(packet, static_cast<std::int32_t>(composition_ms),
                                              static_cast<std::uint32_t>(rest_us * 1'000));
    client_->send(kind(packet), static_cast<std::uint32_t>(time_ms), message);
  }

  const TagWriter& writer(const AVPacket& packet) const { return writers_.at(packet.stream_index); }
  RtmpClient::Kind kind(const AVPacket& packet) const {
    return clip_.track_of(packet).is_video() ? RtmpClient::Kind::video : RtmpClient::Kind::audio;
  }

  const Clip& clip_;
  const Arguments& arguments_;
  std::map<int, TagWriter> writers_;  ///< by the stream of the file
  std::optional<RtmpClient> client_;
};

}  // namespace

int main(int count, char** words) {
  const auto arguments = parse({words + 1, words + count});
  if (!arguments) {
    std::fprintf(stderr,
                 "usage: lookback_publish [--loop] [--fast] [--all-tracks] FILE "
                 "rtmp://HOST[:PORT]/APP/NAME[?key=SECRET]\n");
    return 2;
  }
  av_log_set_level(AV_LOG_ERROR);
  struct sigaction action {};
  action.sa_handler = stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  try {
    const Clip clip(arguments->file, arguments->loop, arguments->all_tracks);
    Publisher publisher(clip, *arguments);
    publisher.run();
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "lookback_publish: %s\n", e.what());
    return 1;
  }
}
