// Real SRT publishers, one server; what they send is compared with the clip.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <memory>
#include <thread>

#include "tests/support/api_client.hpp"
#include "tests/support/ffprobe.hpp"
#include "tests/support/frames.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/rendition_fetch.hpp"
#include "tests/support/server.hpp"
#include "tests/support/srt_caller.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

constexpr auto clip_name = "sintel_360p24_gop2.mp4";
const std::string passphrase = "correct-horse-battery";

/// Publishes a clip once in every way that is installed, side by side; made once per process.
struct Session {
  Server server{Server::Options{
      .grace = "1s", .more = "[streams.\"live/aes*\"]\nsrt.passphrase = \"" + passphrase + "\"\n"}};
  std::vector<std::string> complaints;

  Session() {
    const auto source = clip(clip_name);
    const auto url = [&](const std::string& name, const std::string& more = {}) {
      return server.srt_url("publish:" + name, more);
    };
    const auto ffmpeg = [&](const std::string& where) {
      return ffmpeg_publisher({.clip = source, .url = where, .loop = false});
    };
    const std::vector<std::vector<std::string>> commands{
        ffmpeg(url("live/ffmpeg")), ffmpeg(url("live/aes128", "&pbkeylen=16&passphrase=" + passphrase)),
        ffmpeg(url("live/aes256", "&pbkeylen=32&passphrase=" + passphrase)),
        gstreamer_srt_publisher(source, server.srt_port(), "#!::r=live/gstreamer,m=publish"),
        srt_live_transmit_publisher(source, url("live/transmit"))};
    std::vector<std::unique_ptr<Process>> publishers;
    for (const auto& command : commands) {
      publishers.push_back(std::make_unique<Process>(Process::Options{.arguments = command}));
    }
    ApiClient api(server.http_port());
    link = api.until("/streams/live/ffmpeg",
                     [](const ApiAnswer& answer) {
                       const auto* publisher =
                           answer.status == 200 ? answer["publisher"].if_object() : nullptr;
                       return publisher && publisher->at("link").is_object();
                     })["publisher"]
               .as_object();
    for (auto& publisher : publishers) {
      const auto code = publisher->wait(60s);
      if (code != 0) complaints.push_back(publisher->err());
    }
    for (const auto* name : {"ffmpeg", "aes128", "aes256", "gstreamer", "transmit"}) {
      api.until(std::string("/streams/live/") + name, [](const ApiAnswer& answer) {
        return answer.status == 200 && answer.text("state") == "ended";
      });
    }
  }
  boost::json::object link;  ///< "publisher" of live/ffmpeg

  static Session& instance() {
    static Session session;
    return session;
  }
};

/// MD5 of each decoded picture, in the order of presentation.
std::vector<std::string> picture_hashes(const std::string& input) {
  return hashes(frames(input, "v", "rawvideo"));
}

const ProbedStream& of_kind(const std::vector<ProbedStream>& list, const std::string& kind) {
  return *std::ranges::find_if(list, [&](const auto& stream) { return stream.kind == kind; });
}

double timescale_of(const RenditionLog& log) {
  return parse_init(log.bytes(log.segments().begin()->second.map)).tracks.at(0).timescale;
}

/// A sender that closes takes along what its peer has not been given yet (SRT's latency), and multiplexers
/// may keep back their last frames.
constexpr std::size_t most_missing = 24;

}  // namespace

TEST_CASE("what FFmpeg, GStreamer and srt-live-transmit send plays, with every picture as it was", "[srt]") {
  auto& session = Session::instance();
  INFO(session.complaints.size());
  for (const auto& complaint : session.complaints) INFO(complaint);
  const std::string name = GENERATE("ffmpeg", "aes128", "aes256", "gstreamer", "transmit");
  CAPTURE(name);
  HttpClient client(session.server.http_port());
  const auto video = fetch_all(client, "/live/" + name + "/v0.m3u8");
  const auto audio = fetch_all(client, "/live/" + name + "/a0.m3u8");
  for (const auto* log : {&video, &audio}) {
    auto violations = check_all(*log);
    INFO(describe(violations));
    CHECK(violations.empty());
  }
  const auto wanted = picture_hashes(clip(clip_name).string());
  const auto got = picture_hashes(session.server.http_url("/live/" + name + "/v0.m3u8"));
  REQUIRE(got.size() <= wanted.size());
  CHECK(got.size() + most_missing >= wanted.size());
  // At the cut, pictures that are shown later may have come before others.
  auto next = wanted.begin();
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    const auto found = std::find(next, wanted.end(), got[i]);
    REQUIRE(found != wanted.end());
    if (i + 4 < got.size()) REQUIRE(found - wanted.begin() == static_cast<std::ptrdiff_t>(i));
    next = found + 1;
  }
  // Every frame of sound as well, from the first picture on, and as far from the pictures as in the clip.
  const auto source = ffprobe(clip(clip_name));
  const auto& frames = of_kind(source, "audio");
  const auto sound = ffprobe_bytes(concatenation(audio)).at(0).packets;
  REQUIRE(sound.size() >= 400);
  const auto is_first = [&](const Packet& packet) { return packet.hash == sound[0].hash; };
  const auto first = std::ranges::find_if(frames.packets, is_first);
  REQUIRE(first != frames.packets.end());
  REQUIRE(static_cast<std::size_t>(frames.packets.end() - first) >= sound.size());
  CHECK(first - frames.packets.begin() <= 3);  // priming
  for (std::size_t i = 0; i < sound.size(); ++i) {
    CAPTURE(i);
    REQUIRE(sound[i].hash == first[static_cast<std::ptrdiff_t>(i)].hash);
  }
  const auto samples = samples_of(video);
  const auto shown = std::ranges::min(samples, {}, &SampleEntry::pts).pts();
  const auto& pictures = of_kind(source, "video");
  const auto scale = [](const ProbedStream& stream) { return std::stod(stream.time_base.substr(2)); };
  const auto first_shown = std::ranges::min(pictures.packets, {}, &Packet::pts).pts;
  const auto in_clip =
      static_cast<double>(first->pts) / scale(frames) - static_cast<double>(first_shown) / scale(pictures);
  const auto here = static_cast<double>(samples_of(audio)[0].pts()) / timescale_of(audio) -
                    static_cast<double>(shown) / timescale_of(video);
  CHECK(std::abs(here - in_clip) < 0.001);
}

TEST_CASE("the API tells how a publisher's SRT link does", "[srt]") {
  auto& publisher = Session::instance().link;
  CHECK(publisher.at("protocol").as_string() == "srt");
  const auto& link = publisher.at("link").as_object();
  CHECK(link.at("latency").to_number<double>() >= 0.12);
  CHECK(link.at("rtt").to_number<double>() < 1.0);
  CHECK(link.at("dropped").to_number<std::int64_t>() == 0);
}

TEST_CASE("the server refuses SRT callers with the codes of SRT Access Control", "[srt]") {
  Server server({.more = "[streams.\"live/locked\"]\nkey = \"a long secret\"\n"
                         "[streams.\"live/aes\"]\nsrt.passphrase = \"" +
                         passphrase + "\"\n"});
  Publisher taken({.clip = clip(clip_name), .url = server.srt_url("live/taken")});
  ApiClient(server.http_port()).until("/streams/live/taken", [](const ApiAnswer& answer) {
    return answer.status == 200 && answer.text("state") == "live";
  });
  struct Case {
    SrtCaller::Options caller;
    int code;
  };
  constexpr int bad_secret = 10, unsecure = 11;  // SRT_REJ_BADSECRET, SRT_REJ_UNSECURE
  const std::vector<Case> cases{
      {{"#!::r=live/a,m=publish,s=wrong"}, 1401},
      {{"#!::r=live/locked,m=publish,u=bob,s=wrong"}, 1401},
      {{"#!::r=live/locked,m=publish,u=bob,s=a long secret"}, 0},
      {{"#!::u=bmd?key=wrong,bmd_uuid=1"}, 1401},
      {{"#!::u=bmd,bmd_uuid=1"}, 0},
      {{"publish:live/b:bob:wrong"}, 1401},
      {{"publish:live/b"}, 0},
      {{"vhost/app/stream"}, 0},
      {{"bare"}, 0},
      {{"#!::r=../../etc/passwd,m=publish"}, 1400},
      {{"#!::m=publish"}, 1400},
      {{"#!::r=live/a,r=live/b"}, 1400},
      {{"publish:.hidden"}, 1400},
      {{"api/v1"}, 1403},
      {{""}, 1404},
      {{"#!::r=live/a,m=request"}, 1405},
      {{"play:live/a"}, 1405},
      {{"#!::r=live/taken,m=publish"}, 1409},
      {{"publish:live/taken"}, 1409},
      {{"live/aes2", passphrase, 16}, unsecure},
      {{"live/aes", "wrong-horse-battery", 32}, bad_secret},
      {{"live/aes"}, unsecure},
      {{"live/aes", passphrase, 16}, 0},
  };
  for (const auto& [options, code] : cases) {
    CAPTURE(options.stream_id);
    CHECK(SrtCaller(server.srt_port(), options).reject_code() == code);
  }
}

TEST_CASE("an SRT publisher that comes back within the grace time goes on behind a discontinuity", "[srt]") {
  Server server({.grace = "30s"});
  const Publish how{.clip = clip(clip_name), .url = server.srt_url("live/back")};
  auto publisher = std::make_unique<Publisher>(how);
  ApiClient api(server.http_port());
  HttpClient client(server.http_port());
  const auto segments = [&](std::size_t wanted) {
    const auto until = Clock::now() + 40s;
    for (;;) {
      const auto answer = client.get("/live/back/v0.m3u8");
      const auto list = answer.status == 200 ? parse_media_playlist(answer.text()) : MediaPlaylist{};
      if (list.all().size() >= wanted || Clock::now() >= until) return list;
      std::this_thread::sleep_for(200ms);
    }
  };
  REQUIRE(segments(2).all().size() >= 2);
  publisher->kill();  // without a word, as when the power goes
  api.until("/streams/live/back", [](const ApiAnswer& answer) {
    return answer.status == 200 && answer.text("state") == "waiting";
  });
  const auto waiting = segments(2);
  CHECK_FALSE(waiting.ended);
  publisher = std::make_unique<Publisher>(how);
  const auto later = segments(waiting.all().size() + 2);
  const auto all = later.all();
  REQUIRE(all.size() >= waiting.all().size() + 2);
  CHECK(std::ranges::count_if(all, [](const auto& segment) { return segment.discontinuity; }) == 1);
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i].msn == all[i - 1].msn + 1);
}
