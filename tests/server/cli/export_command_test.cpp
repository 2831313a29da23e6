#include "server/cli/export_command.hpp"

#include <catch2/catch_test_macros.hpp>

#include "server/archive/time_grammar.hpp"
#include "tests/packager/mp4/movie_walker.hpp"
#include "tests/server/archive/archived_stream.hpp"
#include "tests/support/paths.hpp"

using namespace lookback;
using namespace lookback::test;
using server::archive::floor_time_text;

namespace {

struct Folder {
  TempDir dir;
  StoredStream stream;
  server::cli::ExportOptions options;

  explicit Folder(const std::vector<std::string>& clips) {
    for (const auto& clip : clips) {
      stream.publish(support::media_folder() / clip);
      stream.wait(60'000'000);
    }
    options.store.path = dir.path() / "data";
    options.store.reserve_bytes = 0;
    options.view = "live/film";
    options.out = dir.path() / "out.mp4";
    const auto store = open();
    archive(*store, "live/film", stream.outputs());
  }
  std::unique_ptr<store::Store> open() { return std::move(store::Store::open(options.store).value()); }
  std::string at(double seconds) const {
    return floor_time_text(stream.start_us() + static_cast<std::int64_t>(seconds * 1e6));
  }
  std::vector<std::byte> file() const {
    std::ifstream in(options.out, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    return {as_bytes(text).begin(), as_bytes(text).end()};
  }
};

}  // namespace

TEST_CASE("export writes the same movie that the builder describes, and no half file", "[cli][mp4]") {
  Folder folder({"sintel_360p24_gop2.mp4"});
  folder.options.start = folder.at(1);
  folder.options.end = folder.at(4);
  REQUIRE(server::cli::export_mp4(folder.options) == 0);
  const auto bytes = folder.file();
  const auto movie = walk_movie(bytes);
  CHECK(movie.tracks.size() == 2);
  CHECK(std::abs(static_cast<double>(movie.duration) / movie.timescale - 3) < 0.043);
  CHECK_FALSE(fs::exists(folder.dir.path() / "out.mp4.part"));
  CHECK(support::run({"ffprobe", "-v", "warning", folder.options.out.string()}).err == "");

  folder.options.start.clear(), folder.options.end.clear();
  folder.options.json = true;
  REQUIRE(server::cli::export_mp4(folder.options) == 0);
  CHECK(folder.file().size() > bytes.size());
}

TEST_CASE("a recording is exported under its own address, with its segments only", "[cli][mp4]") {
  Folder folder({"sintel_360p24_gop2.mp4"});
  store::RecordingRecord recording;
  recording.id = "abcdefghijkl";
  {
    const auto store = folder.open();
    recording.stream = store->find_stream("live/film")->id;
    recording.first_msn = 1, recording.end_msn = 3;
    recording.ended = true;
    REQUIRE(store->put_recording(recording).has_value());
  }
  folder.options.view = "vod/abcdefghijkl";
  REQUIRE(server::cli::export_mp4(folder.options) == 0);
  const auto movie = walk_movie(folder.file());
  CHECK(movie.tracks.size() == 2);
  // Two segments of 2 s.
  CHECK(std::abs(static_cast<double>(movie.duration) / movie.timescale - 4) < 0.05);

  folder.options.view = "vod/none";
  CHECK(server::cli::export_mp4(folder.options) == 3);
}

TEST_CASE("export says by its exit code what is wrong, and leaves no file", "[cli][mp4]") {
  Folder folder({"sintel_360p24_gop2.mp4", "sintel_360p2997_gop2.mp4"});
  auto options = folder.options;
  CHECK(server::cli::export_mp4(options) == 4);
  options.view = "live/none";
  CHECK(server::cli::export_mp4(options) == 3);
  options.view = "live/film";
  options.start = "2000-01-01T00:00:00Z", options.end = "2000-01-02T00:00:00Z";
  CHECK(server::cli::export_mp4(options) == 3);
  options.start = "yesterday";
  CHECK(server::cli::export_mp4(options) == 2);
  options.start = folder.at(3), options.end = folder.at(1);
  CHECK(server::cli::export_mp4(options) == 2);
  options.end = folder.at(4);
  options.out = folder.dir.path() / "none" / "out.mp4";
  CHECK(server::cli::export_mp4(options) == 1);
  options.out = folder.options.out;
  {
    const auto running = folder.open();
    CHECK(server::cli::export_mp4(options) == 1);
  }
  options.store.path = folder.dir.path() / "elsewhere";
  CHECK(server::cli::export_mp4(options) == 1);
  CHECK_FALSE(fs::exists(options.store.path));
  CHECK_FALSE(fs::exists(folder.options.out));
  CHECK_FALSE(fs::exists(folder.dir.path() / "out.mp4.part"));
}
