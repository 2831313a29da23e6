#include <catch2/catch_test_macros.hpp>
#include <random>
#include <regex>
#include <thread>

#include "server/archive/mp4_movie.hpp"
#include "server/archive/time_grammar.hpp"
#include "tests/packager/mp4/movie_walker.hpp"
#include "tests/server/archive/archived_stream.hpp"
#include "tests/server/http/stage.hpp"
#include "tests/support/paths.hpp"

using namespace lookback;
using namespace lookback::test;
using namespace std::chrono_literals;
using server::archive::floor_time_text;

namespace {

const fs::path clip = support::media_folder() / "sintel_360p24_gop2.mp4";
const fs::path other_clip = support::media_folder() / "sintel_360p2997_gop2.mp4";

/// A clip that was streamed once, on a server.
struct Show {
  Stage stage;
  StoredStream stream;
  store::StreamRecord record;

  explicit Show(const std::vector<fs::path>& sessions = {clip}, Stage::Setup setup = {})
      : stage(std::move(setup)) {
    for (const auto& session : sessions) {
      stream.publish(session);
      stream.wait(60'000'000);
    }
    record = archive(*stage.store, "live/film", stream.outputs());
    stage.hub->publish("live/film", present(*stage.store, record));
    stage.run();
  }
  HttpClient client() { return HttpClient(stage.port()); }
  /// Seconds from the first media on.
  std::string at(double seconds) const {
    return floor_time_text(stream.start_us() + static_cast<std::int64_t>(seconds * 1e6));
  }
  std::string url(double from, double to) const {
    return "/live/film/video.mp4?start=" + at(from) + "&end=" + at(to);
  }
};

/// The presentation is on its way to the network thread.
Response get(HttpClient& client, const std::string& target, const support::Fields& fields = {}) {
  Response response;
  REQUIRE(eventually([&] {
    response = client.get(target, fields);
    return response.status != 404;
  }));
  return response;
}

}  // namespace

TEST_CASE("video.mp4 is a whole file with its length, a strong tag and a name to save it under",
          "[http][mp4]") {
  Show show;
  auto client = show.client();
  const auto response = get(client, show.url(1.5, 6.25));
  REQUIRE(response.status == 200);
  CHECK(response.field("Content-Type") == "video/mp4");
  CHECK(response.field("Content-Length") == std::to_string(response.body.size()));
  CHECK(response.field("Accept-Ranges") == "bytes");
  CHECK(std::regex_match(response.field("ETag"), std::regex("\"[0-9a-f]{32}\"")));
  CHECK(std::regex_match(
      response.field("Content-Disposition"),
      std::regex("attachment; filename=\"film-[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z-5s.mp4\"")));
  const auto movie = walk_movie(as_bytes(response.body));
  REQUIRE(movie.tracks.size() == 2);
  CHECK(movie.tracks[0].handler == "vide");
  CHECK(movie.tracks[1].handler == "soun");
  // To the millisecond of the URL, and back to the picture that is shown: 1/24 s.
  CHECK(static_cast<double>(movie.duration) / movie.timescale >= 4.749);
  CHECK(static_cast<double>(movie.duration) / movie.timescale <= 4.75 + 0.042);

  const auto again = client.get(show.url(1.5, 6.25));
  CHECK(again.field("ETag") == response.field("ETag"));
  CHECK(again.body == response.body);
  const auto head = client.request("HEAD", show.url(1.5, 6.25));
  CHECK(head.status == 200);
  CHECK(head.field("Content-Length") == response.field("Content-Length"));
  CHECK(client.get(show.url(1.5, 6.25), {{"If-None-Match", response.field("ETag")}}).status == 304);
  CHECK(show.stage.mp4->built() == 1);
}

TEST_CASE("200 random ranges of a movie are slices of the whole", "[http][mp4]") {
  Show show;
  auto client = show.client();
  const auto target = show.url(0.2, 9);
  const auto whole = get(client, target);
  REQUIRE(whole.status == 200);
  const auto size = whole.body.size();
  std::mt19937_64 random(11);
  for (int i = 0; i < 200; ++i) {
    auto first = random() % size, last = random() % size;
    if (first > last) std::swap(first, last);
    if (i % 4 == 0) last = std::min(size - 1, first + random() % 100);
    const auto range = std::to_string(first) + "-" + std::to_string(last);
    CAPTURE(range);
    const auto part = client.get(target, {{"Range", "bytes=" + range}, {"If-Range", whole.field("ETag")}});
    REQUIRE(part.status == 206);
    CHECK(part.field("Content-Range") == "bytes " + range + "/" + std::to_string(size));
    REQUIRE(part.body.size() == last - first + 1);
    CHECK((part.body == whole.body.substr(first, last - first + 1)));
  }
  CHECK((client.get(target, {{"Range", "bytes=-1000"}}).body == whole.body.substr(size - 1000)));
  CHECK((client.get(target, {{"Range", "bytes=5000-"}}).body == whole.body.substr(5000)));
  CHECK(client.get(target, {{"Range", "bytes=" + std::to_string(size) + "-"}}).status == 416);
  const auto other = client.get(target, {{"Range", "bytes=0-9"}, {"If-Range", "\"other\""}});
  CHECK(other.status == 200);
  CHECK(other.body.size() == size);
  CHECK(show.stage.mp4->built() == 1);
}

TEST_CASE("times that are missing, relative or in the future are redirected to absolute ones",
          "[http][mp4]") {
  Show show;
  auto client = show.client();
  const auto first = show.at(0);
  const auto last = floor_time_text(show.stream.end_us());
  const std::string path = "/live/film/video.mp4";
  const auto location = [&](const std::string& query) {
    const auto response = get(client, path + query);
    CHECK(response.status == 302);
    CHECK(response.field("Cache-Control") == "max-age=1");
    return response.field("Location");
  };
  // The lead track's end: sound may go on for a frame.
  const auto whole = location("");
  const std::regex form("/live/film/video.mp4\\?start=([0-9TZ:.-]+)&end=([0-9TZ:.-]+)");
  std::smatch match;
  REQUIRE(std::regex_match(whole, match, form));
  CHECK(match[1].str() == first);
  CHECK(match[2].str() <= last);
  const auto end = match[2].str();
  CHECK(location("?start=" + show.at(2)) == path + "?start=" + show.at(2) + "&end=" + end);
  CHECK(location("?start=" + show.at(2) + "&duration=1d&token=x") ==
        path + "?start=" + show.at(2) + "&end=" + end + "&token=x");
  CHECK(location("?start=" + show.at(2) + "&end=2100-01-01T00:00:00Z") ==
        path + "?start=" + show.at(2) + "&end=" + end);
  CHECK(location("?window=1d") == whole);
  CHECK(client.get(whole).status == 200);
  CHECK(client.get(path + "?start=" + show.at(2) + "&duration=3s").status == 200);
  // Before the first media: from there on, under the URL that was asked for.
  const auto early = client.get(path + "?start=2020-01-01T00:00:00Z&end=" + show.at(4));
  CHECK(early.status == 200);
  CHECK(early.field("Content-Disposition").find("2020") == std::string::npos);
}

TEST_CASE("ranges that make no sense, hold nothing or are too long are refused in words", "[http][mp4]") {
  Stage::Setup setup;
  setup.options.mp4_max_duration = 5s;
  Show show({clip}, setup);
  auto client = show.client();
  REQUIRE(get(client, show.url(1, 3)).status == 200);
  const auto check = [&](int status, const std::string& query, const std::string& word) {
    const auto response = client.get("/live/film/video.mp4?" + query);
    CAPTURE(query, response.body);
    CHECK(response.status == status);
    CHECK(response.field("Content-Type") == "application/problem+json");
    CHECK(response.body.find(word) != std::string::npos);
  };
  check(400, "start=" + show.at(3) + "&end=" + show.at(1), "end must be later");
  check(400, "start=nonsense&end=" + show.at(1), "start is not a time");
  check(400, "start=" + show.at(1) + "&end=99999999999999999999", "end is outside the years");
  check(400, "start=" + show.at(1) + "&start=" + show.at(1), "start stands twice");
  check(400, "start=" + show.at(1) + "&duration=-5", "duration is not a duration");
  check(400, "start=" + show.at(1) + "&duration=5&end=" + show.at(3), "leave one away");
  check(400, "end=" + show.at(3), "end needs start");
  check(400, "window=0", "window is 0");
  check(400, "start=" + show.at(1) + "&end=" + show.at(8), "http.mp4_max_duration");
  check(404, "start=" + show.at(100) + "&end=" + show.at(101), "no media");
  check(404, "start=2000-01-01T00:00:00Z&end=2000-01-02T00:00:00Z", "no media");
  CHECK(client.get("/live/none/video.mp4").status == 404);
}

TEST_CASE("where the parameters change inside, 409 names the ranges that can be had, and they can",
          "[http][mp4]") {
  Show show({clip, other_clip});
  auto client = show.client();
  const auto response = get(client, show.url(2, 75));
  REQUIRE(response.status == 409);
  CHECK(response.field("Content-Type") == "application/problem+json");
  CHECK(response.body.find("\"status\":409") != std::string::npos);
  const std::regex url("\"url\":\"([^\"]+)\"");
  std::vector<std::string> urls;
  for (std::sregex_iterator i(response.body.begin(), response.body.end(), url), end; i != end; ++i)
    urls.push_back((*i)[1]);
  REQUIRE(urls.size() == 2);
  CHECK(urls[0].find("start=" + show.at(2)) != std::string::npos);
  CHECK(urls[1].find("end=" + show.at(75)) != std::string::npos);
  for (const auto& one : urls) {
    const auto movie = client.get(one);
    CAPTURE(one);
    REQUIRE(movie.status == 200);
    CHECK(walk_movie(as_bytes(movie.body)).tracks.size() == 2);
  }
}

TEST_CASE("many that ask for one range at once have it built once", "[http][mp4]") {
  Show show;
  auto client = show.client();
  REQUIRE(get(client, show.url(0, 1)).status == 200);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 50; ++i) {
    threads.emplace_back([&] {
      HttpClient own(show.stage.port());
      if (own.request("HEAD", show.url(2, 8)).status == 200) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 50);
  CHECK(show.stage.mp4->built() == 2);
}

TEST_CASE("a cache too small for a movie serves it all the same, and holds its bound", "[http][mp4]") {
  Stage::Setup setup;
  setup.options.mp4_cache_bytes = 1'000;
  Show show({clip}, setup);
  auto client = show.client();
  const auto one = get(client, show.url(1, 5));
  REQUIRE(one.status == 200);
  CHECK(client.get(show.url(1, 5)).field("ETag") == one.field("ETag"));
  CHECK(show.stage.mp4->built() == 2);
  CHECK(show.stage.mp4->bytes() <= 1'000);
}

TEST_CASE("a segment whose boxes are damaged is left out, and the rest is served", "[http][mp4]") {
  Show show;
  auto client = show.client();
  const auto whole = get(client, show.url(0, 9));
  REQUIRE(whole.status == 200);
  // The third segment of video: its first part's moof.
  const auto window = show.stage.store->load_window(show.record.id, 0).value();
  const auto& segment = window.tracks[0].segments.at(2);
  const auto file = show.stage.store->extent(segment.extent).value();
  const auto path = fs::read_symlink("/proc/self/fd/" + std::to_string(file->descriptor()));
  {
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(segment.offset + 6));
    out.put('X');
    REQUIRE(out.flush().good());
  }
  const auto range = floor_time_text(show.stream.start_us() + 1'000) + "&end=" + show.at(9);
  const auto damaged = client.get("/live/film/video.mp4?start=" + range);
  REQUIRE(damaged.status == 200);
  CHECK(damaged.body.size() + segment.size_bytes < whole.body.size() + 1'000);
  const auto movie = walk_movie(as_bytes(damaged.body));
  CHECK(movie.tracks[0].samples.size() == walk_movie(as_bytes(whole.body)).tracks[0].samples.size() - 48);
}

TEST_CASE("a segment whose media is damaged ends the response short, and is never sent", "[http][mp4]") {
  Show show;
  auto client = show.client();
  const auto whole = get(client, show.url(0, 9));
  REQUIRE(whole.status == 200);
  const auto window = show.stage.store->load_window(show.record.id, 0).value();
  const auto& segment = window.tracks[0].segments.at(2);
  const auto file = show.stage.store->extent(segment.extent).value();
  const auto path = fs::read_symlink("/proc/self/fd/" + std::to_string(file->descriptor()));
  {
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(segment.offset + segment.size_bytes - 10));
    out.put('\0').put('X');
    REQUIRE(out.flush().good());
  }
  const auto range = floor_time_text(show.stream.start_us() + 1'000) + "&end=" + show.at(9);
  const auto target = "/live/film/video.mp4?start=" + range;
  CHECK_THROWS(client.get(target));  // the connection ends before Content-Length
  // What lies before is served.
  CHECK(client.get(target, {{"Range", "bytes=0-99"}}).status == 206);
  CHECK(show.stage.counters().read_errors >= 1);
}
