#include <atomic>
#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <thread>

#include "server/archive/time_grammar.hpp"
#include "tests/support/api_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/images.hpp"
#include "tests/support/media.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;
using lookback::server::archive::parse_time;
using lookback::server::archive::time_text;

// Clips of a running stream, against what a player is given as media.

namespace {

constexpr std::int64_t second = 1'000'000;

/// A server with encoders that start when asked for. All clips have 24 pictures a second and a sync sample
/// every 2 s.
struct Stage {
  explicit Stage(const std::string& more = {})
      : server({.more = more}), client(server.http_port()), api(server.http_port()) {}

  Publisher publisher(const std::string& file) {
    return Publisher({.clip = clip(file), .url = server.rtmp_url("live/a")});
  }
  Response get(const std::string& leaf, const Fields& fields = {}) {
    return client.get("/live/a/" + leaf, fields);
  }
  /// Follows one redirect.
  Response fetch(const std::string& leaf) {
    auto answer = get(leaf);
    return answer.status == 302 ? client.get(answer.field("location")) : answer;
  }

  /// What of the stream is stored, Unix us: the starts and ends in ranges.json.
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges() {
    const auto answer = get("ranges.json");
    std::vector<std::pair<std::int64_t, std::int64_t>> out;
    if (answer.status != 200) return out;
    const auto all = boost::json::parse(answer.text());
    for (const auto& range : all.at("ranges").as_array()) {
      const auto& end = range.at("end");
      const auto time = [](const auto& text) { return parse_time("", std::string(text.as_string()))->us; };
      out.emplace_back(time(range.at("start")), end.is_null() ? 0 : time(end));
    }
    return out;
  }
  /// Waits until a session has as much, and tells where it begins.
  std::int64_t wait_for(std::chrono::seconds length, std::size_t session = 0) {
    const auto there = [&] {
      const auto all = ranges();
      if (all.size() <= session) return false;
      const auto end = time_text(all[session].first + length.count() * second);
      const auto start = time_text(all[session].first + (length.count() - 1) * second);
      const auto one = get("animated.webp?width=16&fps=1&start=" + start + "&end=" + end);
      return one.status == 200 && one.max_age() > 100;
    };
    REQUIRE(eventually(there, 90s));
    return ranges()[session].first;
  }
  std::uint64_t jobs_done() {
    const auto text = client.get("/api/v1/storage").text();
    const std::string name = "\"done\":";
    return std::stoull(text.substr(text.find(name) + name.size()));
  }

  Server server;
  HttpClient client;
  ApiClient api;
  TempDir dir;
};

std::string range(std::int64_t start_us, double seconds) {
  return "start=" + time_text(start_us) +
         "&end=" + time_text(start_us + static_cast<std::int64_t>(seconds * static_cast<double>(second)));
}

/// The pictures of a range from the one on that begins at its start: dates are written in milliseconds, and
/// before that, up to one, the picture before is shown.
std::string media_of(std::int64_t start_us, double seconds) {
  return "video.mp4?" + range(start_us + 1'000, seconds);
}

double seconds_of(const std::filesystem::path& file) { return std::stod(probe(file, "format=duration")); }

unsigned total_ms(const std::vector<WebpFrame>& frames) {
  unsigned sum = 0;
  for (const auto& frame : frames) sum += frame.ms;
  return sum;
}

}  // namespace

TEST_CASE("a clip shows in all formats what the stream showed at that time", "[clips]") {
  Stage stage;
  const auto publisher = stage.publisher("sintel_720p24_gop2.mp4");
  const auto start = stage.wait_for(9s) + 3 * second;  // inside of a GOP
  const auto query = range(start, 4);
  const auto webp = stage.get("animated.webp?" + query);
  const auto gif = stage.get("animated.gif?" + query);
  const auto mp4 = stage.get("animated.mp4?" + query);
  REQUIRE(webp.status == 200);
  REQUIRE(gif.status == 200);
  REQUIRE(mp4.status == 200);
  CHECK(webp.field("content-type") == "image/webp");
  CHECK(gif.field("content-type") == "image/gif");
  CHECK(mp4.field("content-type") == "video/mp4");

  const auto frames = webp_frames(webp.body);
  REQUIRE(frames.size() == 48);  // every second picture
  CHECK(total_ms(frames) == 4'000);
  const auto gif_file = save(stage.dir.path() / "clip.gif", gif.body);
  const auto mp4_file = save(stage.dir.path() / "clip.mp4", mp4.body);
  CHECK(probe(gif_file, "stream=width,height,nb_read_frames") == "320\n180\n48");
  CHECK(probe(mp4_file, "stream=codec_name,width,height,nb_read_frames") == "h264\n320\n180\n48");
  CHECK(std::abs(seconds_of(mp4_file) - 4) < 0.002);
  CHECK(std::abs(seconds_of(gif_file) - 4) < 0.02);

  const auto film = save(stage.dir.path() / "film.mp4", stage.fetch(media_of(start, 4)).body);
  for (const std::size_t i : {std::size_t{0}, std::size_t{13}, std::size_t{30}, std::size_t{47}}) {
    CAPTURE(i);
    const auto at = static_cast<double>(i) / 12 - 0.01;  // the next picture that begins
    const auto theirs = picture_at(film, at, "scale=320:180:flags=bicubic", stage.dir.path() / "theirs.png");
    const auto still = save(stage.dir.path() / "still.webp", frames[i].still);
    CHECK(similarity(still, theirs) > 0.9);
    CHECK(similarity(picture_at(mp4_file, at, "null", stage.dir.path() / "mp4.png"), theirs) > 0.9);
    const auto nth = "select=eq(n\\," + std::to_string(i) + "),format=rgb24";
    CHECK(similarity(picture_at(gif_file, 0, nth, stage.dir.path() / "gif.png"), theirs) > 0.8);
  }
}

TEST_CASE("clips keep to the rules of HTTP", "[clips]") {
  Stage stage;
  const auto publisher = stage.publisher("sintel_360p24_gop2.mp4");
  const auto start = stage.wait_for(5s);
  const auto target = "animated.mp4?" + range(start + second, 2) + "&width=160&fps=6";
  const auto first = stage.get(target);
  REQUIRE(first.status == 200);
  CHECK(first.field("cache-control").find("immutable") != std::string::npos);
  CHECK(stage.get(target, {{"If-None-Match", first.field("etag")}}).status == 304);
  const auto part = stage.get(target, {{"Range", "bytes=0-7"}});
  CHECK(part.status == 206);
  CHECK(part.body == first.body.substr(0, 8));
  const auto head = stage.client.request("HEAD", "/live/a/" + target);
  CHECK(head.field("content-length") == std::to_string(first.body.size()));
  CHECK(probe(save(stage.dir.path() / "a.mp4", first.body), "stream=width,height,nb_read_frames") ==
        "160\n90\n12");

  const auto moving = stage.get("animated.webp?start=now-2s&end=now&fps=5&token=x");
  REQUIRE(moving.status == 302);
  const auto location = moving.field("location");
  CHECK(location.starts_with("/live/a/animated.webp?start=20"));
  CHECK(location.ends_with("&width=320&fps=5&token=x"));
  const auto followed = stage.client.get(location);
  CHECK(followed.status == 200);
  CHECK(total_ms(webp_frames(followed.body)) == 2'000);

  const auto early = stage.get("animated.webp?" + range(start - 3 * second, 5));  // two seconds are there
  CHECK(early.status == 200);
  CHECK(early.max_age() == 2);
  CHECK(std::abs(static_cast<double>(total_ms(webp_frames(early.body))) - 2'000) < 2);

  CHECK(stage.get("animated.webp").status == 400);
  CHECK(stage.get("animated.webp?start=nonsense").status == 400);
  CHECK(stage.get("animated.gif?start=now-5s&width=big").status == 400);
  CHECK(stage.get("animated.gif?start=now-5s&width=5000").status == 422);
  CHECK(stage.get("animated.gif?start=now-5s&fps=60").status == 422);
  CHECK(stage.get("animated.gif?start=now-90s&duration=61").status == 422);
  CHECK(stage.get("animated.webp?start=2000-01-01T00:00:00Z").status == 404);
  CHECK(stage.get("animated.webp?start=2999-01-01T00:00:00Z").status == 404);
  CHECK(stage.client.get("/live/none/animated.webp?start=now-5s").status == 404);
}

TEST_CASE("formats of one moment that are asked for while they wait come out of one decode", "[clips]") {
  Stage stage;
  const auto publisher = stage.publisher("sintel_720p24_gop2.mp4");
  const auto start = stage.wait_for(11s);
  const auto before = stage.jobs_done();
  std::atomic<int> good{0};
  const auto ask = [&](const std::string& leaf) {
    return std::thread([&, leaf] {
      HttpClient client(stage.server.http_port(), 60s);
      if (client.get("/live/a/" + leaf).status == 200) ++good;
    });
  };
  // This one keeps the only worker busy for a second or more.
  auto long_one = ask("animated.gif?width=640&fps=15&" + range(start, 10));
  REQUIRE(eventually(
      [&] { return stage.client.get("/api/v1/storage").text().find("\"running\":1") != std::string::npos; }));
  std::vector<std::thread> all;
  for (const auto* format : {"webp", "gif", "mp4"})
    all.push_back(ask("animated." + std::string(format) + "?" + range(start + second, 3)));
  for (auto& each : all) each.join();
  long_one.join();
  CHECK(good == 4);
  CHECK(stage.jobs_done() == before + 2);
}

TEST_CASE("a long clip steps over its time from key picture to key picture", "[clips]") {
  Stage stage;
  const auto publisher = stage.publisher("sintel_360p24_gop2.mp4");
  const auto start = stage.wait_for(16s);
  const auto answer = stage.get("animated.webp?" + range(start + second, 14));
  REQUIRE(answer.status == 200);
  const auto frames = webp_frames(answer.body);
  CHECK(frames.size() == 8);  // at 0 s, which is one second after its key picture, then at 1, 3, ... 13 s
  CHECK(total_ms(frames) == 14'000);
  const auto film = save(stage.dir.path() / "film.mp4", stage.fetch(media_of(start + second, 14)).body);
  const auto theirs = picture_at(film, 4.99, "scale=320:180:flags=bicubic", stage.dir.path() / "theirs.png");
  CHECK(similarity(save(stage.dir.path() / "still.webp", frames.at(3).still), theirs) > 0.9);
  // A short one of the beginning, whose media has left memory.
  const auto old = stage.get("animated.webp?" + range(start, 2));
  REQUIRE(old.status == 200);
  CHECK(webp_frames(old.body).size() == 24);
}

TEST_CASE("the motion clip process is changed live, and survives a restart", "[clips]") {
  Stage stage;
  const auto publisher = stage.publisher("sintel_360p24_gop2.mp4");
  stage.wait_for(4s);
  CHECK(stage.get("motionclip.webp").status == 404);
  CHECK(stage.get("motionclips.json").status == 404);
  const auto off = stage.jobs_done();
  const auto patch = [&](const std::string& settings) {
    return stage.api.patch("/streams/live/a", R"({"processes":{"motionclip":{)" + settings + "}}}");
  };
  REQUIRE(patch(R"("enabled":true,"duration":2,"interval":10)").status == 200);
  REQUIRE(eventually([&] { return stage.get("motionclip.webp").status == 302; }, 30s));
  CHECK(eventually([&] { return stage.jobs_done() > off; }, 20s));  // ahead: nobody has followed the link

  const auto latest = stage.get("motionclip.webp?token=x").field("location");
  CHECK(latest.ends_with("&token=x"));
  const auto clip_start = parse_time("", latest.substr(latest.find("start=") + 6, 24))->us;
  CHECK(clip_start % (10 * second) == 0);
  const auto webp = stage.client.get(latest);
  REQUIRE(webp.status == 200);
  CHECK(total_ms(webp_frames(webp.body)) == 2'000);
  const auto mp4 = stage.fetch("motionclip.mp4");
  REQUIRE(mp4.status == 200);
  CHECK(std::abs(seconds_of(save(stage.dir.path() / "clip.mp4", mp4.body)) - 2) < 0.002);
  CHECK(stage.fetch("motionclip.gif").status == 200);

  REQUIRE(eventually(
      [&] {
        const auto list = boost::json::parse(stage.get("motionclips.json").text());
        return list.at("clips").as_array().size() >= 2;
      },
      30s));
  const auto list = boost::json::parse(stage.get("motionclips.json?token=x").text());
  CHECK(list.at("interval").as_int64() == 10);
  for (const auto& each : list.at("clips").as_array()) {
    CHECK(stage.client.get(std::string(each.at("webp").as_string())).status == 200);
    const auto copy = stage.client.get(std::string(each.at("copy").as_string()));
    CHECK(copy.status == 200);
    CHECK(copy.field("content-type") == "video/mp4");
  }

  CHECK(patch(R"("interval":9)").status == 422);
  CHECK(patch(R"("duration":61)").status == 422);
  REQUIRE(patch(R"("duration":3)").status == 200);
  CHECK(total_ms(webp_frames(stage.fetch("motionclip.webp").body)) == 3'000);  // at once, of the same media

  stage.server.stop();
  stage.server.start();
  REQUIRE(eventually([&] { return stage.get("motionclip.webp").status == 302; }, 30s));
  CHECK(total_ms(webp_frames(stage.fetch("motionclip.webp").body)) == 3'000);
  REQUIRE(patch(R"("enabled":false)").status == 200);
  CHECK(stage.get("motionclip.webp").status == 404);
}

TEST_CASE("a clip goes over a reconnect with another size, and shows the last picture in the gap",
          "[clips]") {
  Stage stage;
  {
    const auto publisher = stage.publisher("sintel_720p24_gop2.mp4");
    stage.wait_for(5s);
  }
  std::this_thread::sleep_for(1s);  // of the gap
  const auto publisher = stage.publisher("sintel_360p24_gop2.mp4");
  const auto again = stage.wait_for(3s, 1);
  const auto start = again - 5 * second;
  const auto query = range(start, 7);
  const auto mp4 = stage.get("animated.mp4?" + query);
  REQUIRE(mp4.status == 200);
  const auto file = save(stage.dir.path() / "clip.mp4", mp4.body);
  CHECK(std::abs(seconds_of(file) - 7) < 0.002);
  CHECK(probe(file, "stream=width,height") == "320\n180");
  const auto frames = webp_frames(stage.get("animated.webp?" + query).body);
  CHECK(total_ms(frames) == 7'000);
  unsigned longest = 0;
  for (const auto& frame : frames) longest = std::max(longest, frame.ms);
  CHECK(longest >= 1'000);  // the gap
  const auto film = save(stage.dir.path() / "film.mp4", stage.fetch("video.mp4?" + range(again, 1.5)).body);
  const auto theirs = picture_at(film, 0.99, "scale=320:180:flags=bicubic", stage.dir.path() / "b.png");
  CHECK(similarity(picture_at(file, 5.99, "null", stage.dir.path() / "a.png"), theirs) > 0.9);
}

TEST_CASE("a stream without pictures has no clips, and says so", "[clips]") {
  Stage stage("motionclip = { enabled = true, duration = \"2s\", interval = \"10s\" }\n");
  const auto publisher = stage.publisher("sintel_audioonly.m4a");
  REQUIRE(eventually([&] { return !stage.ranges().empty(); }, 60s));
  for (const auto* leaf : {"animated.webp?start=now-3s&end=now", "motionclip.webp"}) {
    const auto answer = stage.get(leaf);
    CAPTURE(leaf, answer.body);
    CHECK(answer.status == 404);
    CHECK(answer.text().find("no pictures") != std::string::npos);
  }
}

TEST_CASE("recordings have clips", "[clips]") {
  Stage stage;
  const auto publisher = stage.publisher("sintel_360p24_gop2.mp4");
  const auto start = stage.wait_for(7s);
  const auto made = stage.api.post("/recordings", R"({"stream":"live/a","start":")" + time_text(start) +
                                                      R"(","end":")" + time_text(start + 6 * second) + "\"}");
  REQUIRE(made.status == 201);
  const auto target = "/animated.webp?" + range(start + second, 3);
  const auto clip = stage.client.get("/vod/" + made.text("id") + target);
  REQUIRE(clip.status == 200);
  CHECK(clip.body == stage.client.get("/live/a" + target).body);
  CHECK(stage.client.get("/vod/" + made.text("id") + "/animated.webp?" + range(start + 30 * second, 3))
            .status == 404);
}
