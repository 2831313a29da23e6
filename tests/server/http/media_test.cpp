#include <fcntl.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <future>

#include "tests/server/http/stage.hpp"

using namespace lookback;
using namespace lookback::test;
using namespace std::chrono_literals;

namespace {

auto ask(Stage& stage, const std::string& target) {
  return std::async(std::launch::async, [port = stage.port(), target] {
    HttpClient client(port);
    return client.get(target);
  });
}

/// Bytes that can be told by their offset alone.
char byte_at(std::uint64_t offset) { return static_cast<char>((offset * 2654435761u) >> 13); }

std::string pattern(std::uint64_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = byte_at(i);
  return out;
}

bool is_pattern(const std::string& body, std::uint64_t offset) {
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != byte_at(offset + i)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("rule 108: a request for the hinted part is held and gets the whole part", "[http][media]") {
  Stage stage;
  stage.run();
  Feed feed(stage, "live/a", 100'000);
  feed.segments(3);
  feed.parts(1);  // 13.0; hint: 13.1
  auto answer = ask(stage, feed.part_path(13, 1));
  REQUIRE(stage.waits_for(1));
  CHECK(answer.wait_for(100ms) == std::future_status::timeout);
  feed.parts(1);
  const auto response = answer.get();
  CHECK(response.status == 200);
  CHECK(response.body == feed.bytes(13, 1));
}

TEST_CASE("rule 108: the hint after a complete segment is the first part of the next", "[http][media]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  auto answer = ask(stage, feed.part_path(13, 0));
  REQUIRE(stage.waits_for(1));
  feed.parts(1);
  CHECK(answer.get().body == feed.bytes(13, 0));
}

TEST_CASE("rule 109: what neither exists nor is hinted is 404 at once", "[http][media]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  for (const auto& path :
       {feed.part_path(13, 1), feed.part_path(14, 0), feed.part_path(12, 4), feed.segment_path(13),
        feed.part_path(13, 4'294'967'295u), feed.segment_path(18446744073709551615u)}) {
    CAPTURE(path);
    const auto response = client.get(path);
    CHECK(response.status == 404);
    CHECK(response.took() < 1s);
    CHECK(response.max_age() == 1);
  }
}

TEST_CASE("rule 110: a hinted part that will not come is 404, and its waiter is free", "[http][media]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  SECTION("the publisher ends") {
    auto answer = ask(stage, feed.part_path(13, 0));
    REQUIRE(stage.waits_for(1));
    feed.end();
    CHECK(answer.get().status == 404);
  }
  SECTION("the stream is deleted") {
    auto answer = ask(stage, feed.part_path(13, 0));
    REQUIRE(stage.waits_for(1));
    stage.hub->remove("live/a");
    CHECK(answer.get().status == 404);
  }
  SECTION("nothing happens for three target durations") {
    HttpClient client(stage.port());
    const auto response = client.get(feed.part_path(13, 0));
    CHECK(response.status == 404);
    CHECK(response.took() >= 2990ms);
    CHECK(response.took() < 6s);
  }
  CHECK(stage.counters().waiting == 0);
}

TEST_CASE("rules 113 and 117: media has its type and may be kept for ever", "[http][media]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  for (const auto& path : {feed.init_path(), feed.segment_path(11), feed.part_path(12, 2)}) {
    CAPTURE(path);
    const auto response = client.get(path);
    CHECK(response.status == 200);
    CHECK(response.field("Content-Type") == "video/mp4");
    CHECK(response.field("Cache-Control") == "max-age=1209600, immutable");
    CHECK(response.field("Accept-Ranges") == "bytes");
  }
  CHECK(client.get(feed.init_path()).body == "init of v0");
  CHECK(client.get(feed.segment_path(11)).body == feed.segment_bytes(11));
  CHECK(client.get(feed.part_path(12, 2)).body == feed.bytes(12, 2));
}

TEST_CASE("another generation's names are not this stream's", "[http][media]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  CHECK(client.get("/live/a/v0-k3f9-11.m4s").status == 200);
  CHECK(client.get("/live/a/v0-aaaa-11.m4s").status == 404);
  CHECK(client.get("/live/a/v0-aaaa-init1.mp4").status == 404);
  CHECK(client.get("/live/a/v0-k3f9-init2.mp4").status == 404);
  CHECK(client.get("/live/a/v1-k3f9-11.m4s").status == 404);
}

TEST_CASE("rule 120: ranges of shared bytes are exact slices, over slice borders too",
          "[http][media][range]") {
  Stage stage;
  stage.run();
  Feed feed(stage);  // a segment is four slices of 1,000 bytes
  feed.segments(3);
  HttpClient client(stage.port());
  const auto whole = feed.segment_bytes(11);
  struct Case {
    const char* range;
    std::size_t first, last;
  };
  for (const auto& c :
       {Case{"bytes=0-0", 0, 0}, Case{"bytes=999-1000", 999, 1000}, Case{"bytes=500-3500", 500, 3500},
        Case{"bytes=3999-", 3999, 3999}, Case{"bytes=-4001", 0, 3999}, Case{"bytes=1000-1999", 1000, 1999},
        Case{"bytes=0-9007199254740991", 0, 3999}}) {
    CAPTURE(c.range);
    const auto response = client.get(feed.segment_path(11), {{"Range", c.range}});
    CHECK(response.status == 206);
    CHECK(response.body == whole.substr(c.first, c.last - c.first + 1));
    CHECK(response.field("Content-Range") ==
          "bytes " + std::to_string(c.first) + "-" + std::to_string(c.last) + "/4000");
    CHECK(response.field("Content-Length") == std::to_string(c.last - c.first + 1));
  }
  const auto beyond = client.get(feed.segment_path(11), {{"Range", "bytes=4000-"}});
  CHECK(beyond.status == 416);
  CHECK(beyond.field("Content-Range") == "bytes */4000");
  std::string many = "bytes=0-0";
  for (int i = 0; i < 1300; ++i) many += ",0-";
  const auto overlapping = client.get(feed.segment_path(11), {{"Range", many}});
  CHECK(overlapping.status == 200);
  CHECK(overlapping.body == whole);
}

TEST_CASE("rule 120: If-Range guards a range by its tag", "[http][media][range]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  const auto tag = client.get(feed.segment_path(11)).field("ETag");
  CHECK(client.get(feed.segment_path(11), {{"Range", "bytes=0-9"}, {"If-Range", tag}}).status == 206);
  CHECK(client.get(feed.segment_path(11), {{"Range", "bytes=0-9"}, {"If-Range", "\"other\""}}).status == 200);
}

TEST_CASE("rule 121: tags are strong, 304 has no body, HEAD is GET without one", "[http][media]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  for (const auto& path : {feed.segment_path(11), feed.part_path(12, 2), feed.init_path(),
                           feed.playlist_path(), std::string("/live/a/index.m3u8")}) {
    CAPTURE(path);
    const auto get = client.get(path);
    const auto tag = get.field("ETag");
    REQUIRE(tag.starts_with('"'));
    CHECK(tag.ends_with('"'));
    for (const auto& condition : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
      const auto unchanged = client.get(path, {{"If-None-Match", condition}});
      CHECK(unchanged.status == 304);
      CHECK(unchanged.body.empty());
      CHECK(unchanged.field("ETag") == tag);
      CHECK(unchanged.field("Cache-Control") == get.field("Cache-Control"));
    }
    CHECK(client.get(path, {{"If-None-Match", "\"x\""}}).status == 200);

    const auto head = client.request("HEAD", path);
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    for (const auto* field : {"Content-Length", "Content-Type", "ETag", "Cache-Control"}) {
      CHECK(head.field(field) == get.field(field));
    }
  }
}

TEST_CASE("stored segments go out of their extent, and ranges over 64 MB are exact", "[http][media][file]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  (void)stage.store_segment("another one before it");
  const auto stored = stage.store_segment(pattern(80'000'000));
  REQUIRE(stored.offset > 0);
  feed.stored_segment(stored);
  auto gone = stored;
  gone.extent += 1'000'000;
  feed.stored_segment(gone);
  HttpClient client(stage.port(), 60s);

  const auto small = client.get(feed.segment_path(10), {{"Range", "bytes=79999990-"}});
  CHECK(small.status == 206);
  CHECK(small.body.size() == 10);
  CHECK(is_pattern(small.body, 79'999'990));

  const auto large = client.get(feed.segment_path(10), {{"Range", "bytes=1000-70000999"}});
  CHECK(large.status == 206);
  CHECK(large.field("Content-Range") == "bytes 1000-70000999/80000000");
  CHECK(large.body.size() == 70'000'000);
  CHECK(is_pattern(large.body, 1000));

  CHECK(client.get(feed.segment_path(11)).status == 404);
  CHECK(client.connections() == 1);
}

TEST_CASE("a stored segment that is not in memory is read first, and served whole", "[http][media][file]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  const auto stored = stage.store_segment(pattern(5'000'000));
  stage.store->flush();
  const auto file = stage.store->extent(stored.extent).value();
  REQUIRE(::posix_fadvise(file->descriptor(), 0, 0, POSIX_FADV_DONTNEED) == 0);
  feed.stored_segment(stored);
  HttpClient client(stage.port());
  const auto response = client.get(feed.segment_path(10));
  CHECK(response.status == 200);
  CHECK(response.body == pattern(5'000'000));
  CHECK(file->is_cached(stored.offset, stored.size_bytes));
}

TEST_CASE("a large part goes out of its extent, but out of memory when the page cache has lost it",
          "[http][media][file]") {
  constexpr std::size_t size = 150'000;
  Stage stage;
  stage.run();
  Feed feed(stage);
  const auto stored = stage.store_segment(pattern(size));
  const auto in_memory = std::string(size, 'm');  // not what is stored, so that the source shows
  feed.stored_segment(stored, Chain{make_slice(std::string(in_memory))});
  HttpClient client(stage.port());

  CHECK(client.get(feed.part_path(10, 0)).body == pattern(size));
  CHECK(client.get(feed.segment_path(10)).body == pattern(size));
  const auto range = client.get(feed.part_path(10, 0), {{"Range", "bytes=1001-139999"}});
  CHECK(range.status == 206);
  CHECK(range.body.size() == 138'999);
  CHECK(is_pattern(range.body, 1001));

  stage.store->flush();
  const auto file = stage.store->extent(stored.extent).value();
  REQUIRE(::posix_fadvise(file->descriptor(), 0, 0, POSIX_FADV_DONTNEED) == 0);
  CHECK(client.get(feed.part_path(10, 0)).body == in_memory);
  CHECK(client.connections() == 1);
}

TEST_CASE("a stored segment whose file is shorter than its record is cut, never padded",
          "[http][media][file]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  auto stored = stage.store_segment(pattern(5000));
  stored.size_bytes += 1'000'000;
  feed.stored_segment(stored);
  HttpClient client(stage.port());
  CHECK_THROWS_AS(client.get(feed.segment_path(10)), std::runtime_error);
  CHECK(eventually([&] { return stage.counters().read_errors == 1; }));
}

TEST_CASE("rule 39: a segment that has left the window is asked of the store", "[http][media][file]") {
  store::SegmentRecord stored;
  Stage::Setup setup;
  setup.find_segment = [&stored](const server::MediaName& name,
                                 const std::optional<store::SegmentRecord>&) -> Result<store::SegmentRecord> {
    if (name.stream != "live/a" || name.generation != "k3f9" || name.track != "v0" || name.number != 3)
      return store::Errc::not_found;
    auto record = stored;
    record.parts.resize(2);
    record.parts[0].size_bytes = 1000;
    record.parts[1].size_bytes = 2000;
    return record;
  };
  Stage stage(std::move(setup));
  stored = stage.store_segment(pattern(3000));
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  const auto segment = client.get(feed.segment_path(3));
  CHECK(segment.status == 200);
  CHECK(segment.body == pattern(3000));
  const auto part = client.get(feed.part_path(3, 1));
  CHECK(part.body.size() == 2000);
  CHECK(is_pattern(part.body, 1000));
  CHECK(client.get(feed.part_path(3, 2)).status == 404);
  CHECK(client.get(feed.segment_path(4)).status == 404);
}
