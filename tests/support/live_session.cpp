#include "tests/support/live_session.hpp"

#include <algorithm>
#include <cstdio>
#include <future>
#include <stdexcept>

#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"

namespace lookback::support {

const RenditionLog& LiveStream::rendition(const std::string& track) const {
  const auto* found = witness == nullptr ? nullptr : witness->rendition(track);
  if (found == nullptr) throw std::runtime_error(name + " has no " + track + " " + problem);
  return *found;
}

LiveSession& LiveSession::instance() {
  static LiveSession session;
  return session;
}

LiveSession::LiveSession() : server_(), short_window_(Server::Options{.replay = "10s"}) {
  add(server_, "live/p24", "sintel_720p24_gop2.mp4", true);
  add(server_, "live/p23976", "sintel_720p23976_gop2.mp4", true);
  add(server_, "live/p25open", "sintel_360p25_opengop10s.ts", false);
  add(server_, "live/p2997", "sintel_360p2997_gop2.mp4", true);
  add(server_, "live/p5994", "sintel_360p5994.ts", true);
  add(server_, "live/audio", "sintel_audioonly.m4a", true);
  add(server_, "live/video", "sintel_270p24_videoonly.mp4", true);
  // 50,000 s: past 2^32 ticks at 90 kHz.
  add(server_, "live/late", "sintel_360p24_gop2.mp4", true, {"-c", "copy", "-output_ts_offset", "50000"});
  add(short_window_, "live/short", "sintel_360p24_gop2.mp4", true);
  for (const auto* extra :
       {"bear_720p2997.mp4", "crystal_480p30_cbp.mp4", "race_360p24.mp4", "wave_croatia_1080p25.mp4"}) {
    if (has_clip(extra))
      add(server_, "extra/" + std::filesystem::path(extra).stem().string(), extra, false);
    else
      std::fprintf(stderr, "live session: %s is not there (LOOKBACK_EXTRA_MEDIA)\n", extra);
  }
  record();
  for (const auto& stream : streams_) judge(stream);
}

void LiveSession::add(Server& server, const std::string& name, const std::string& file, bool closed_gop,
                      std::vector<std::string> output) {
  LiveStream stream;
  stream.name = name;
  stream.clip = clip(file);
  stream.closed_gop = closed_gop;
  stream.server = &server;
  stream.publisher = std::make_unique<Publisher>(
      Publish{.clip = stream.clip, .url = server.rtmp_url(name), .output = std::move(output)});
  streams_.push_back(std::move(stream));
}

void LiveSession::witness(LiveStream& stream) {
  try {
    stream.witness = std::make_unique<Witness>(stream.server->http_port(), stream.name,
                                               Witness::Options{.patience = std::chrono::seconds(12)});
  } catch (const std::exception& missing) {
    stream.problem = missing.what() + std::string("\n") + stream.publisher->err();
  }
}

void LiveSession::record() {
  std::vector<std::future<void>>
      starts;  // together: the first pass of each clip is what tests compare with the clip
  for (auto& stream : streams_)
    starts.push_back(std::async(std::launch::async, [&stream] { witness(stream); }));
  for (auto& start : starts) start.get();
  const auto deadline = Clock::now() + std::chrono::seconds(45);
  for (auto& stream : streams_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    // Where segments are longer than usual, what came in the meantime has to do.
    if (stream.witness && stream.closed_gop)
      stream.witness->wait_until_followed(12, std::max(left, std::chrono::milliseconds(0)));
  }
  for (auto& stream : streams_) {
    if (!stream.witness) continue;
    stream.witness->stop();
    stream.final_master = HttpClient(stream.server->http_port()).get(stream.witness->master_url());
  }
}

void LiveSession::judge(const LiveStream& stream) {
  if (!stream.witness) return;
  const auto append = [&](const Violations& more) {
    for (const auto& violation : more)
      violations_.push_back({violation.rule, stream.name + " " + violation.what});
  };
  const auto& renditions = stream.witness->renditions();
  for (const auto& rendition : renditions) {
    append(rendition.violations());
    auto media = check_media(rendition);
    if (!stream.closed_gop) std::erase_if(media, [](const auto& v) { return v.rule == 16; });
    append(media);
  }
  for (const auto& other : renditions) {
    if (other.snapshots.empty() || renditions.front().snapshots.empty()) continue;
    append(check_renditions(renditions.front().snapshots.back().playlist, other.snapshots.back().playlist));
  }
}

const LiveStream& LiveSession::stream(const std::string& name) const {
  const auto found = std::ranges::find_if(streams_, [&](const auto& stream) { return stream.name == name; });
  if (found == streams_.end()) throw std::runtime_error("no stream " + name);
  if (!found->witness) throw std::runtime_error(name + " was not recorded: " + found->problem);
  return *found;
}

std::size_t LiveSession::snapshots() const {
  std::size_t count = 0;
  for (const auto& stream : streams_) {
    if (!stream.witness) continue;
    for (const auto& rendition : stream.witness->renditions()) count += rendition.snapshots.size();
  }
  return count;
}

}  // namespace lookback::support
