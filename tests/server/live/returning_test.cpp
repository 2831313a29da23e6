#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include "server/live/live_stream.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/sintel_formats.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t second_us = 1'000'000;

/// A stream that the store knows with pictures and sound, of which all media has gone; on the test's own
/// thread.
class Emptied {
 public:
  explicit Emptied(bool had_sound) {
    store::Options options;
    options.path = folder_.path();
    options.reserve_bytes = 0;
    store_ = std::move(*store::Store::open(options));
    auto record = store_->open_stream("live/x").value();
    record.epoch_us = clock_.now_us() - 3'600 * second_us;
    store::Window window;
    window.tracks.push_back({.track = {0, "v0", 90'000}});
    if (had_sound) window.tracks.push_back({.track = {1, "a0", 48'000}});
    stream = std::make_shared<LiveStream>(LiveServices{*store_, hub_, clock_}, context_.get_executor(),
                                          record, std::make_shared<EffectiveSettings>(), window);
    stream->start();
    publication_ = stream
                       ->admit(
                           {.stream = "live/x"}, context_.get_executor(), [] {}, 64 << 20)
                       .value();
  }
  ~Emptied() {
    stream->stop();
    (void)until([] { return false; }, 50ms);
  }

  void push(std::vector<IngestEvent> events) { CHECK(publication_->push(std::move(events))); }
  /// 24 pictures a second, a sync sample every two seconds, from second `from` to `to`.
  void push_pictures(int from, int to) {
    for (int i = from * 24; i < to * 24; ++i) {
      const auto payload = make_slice(std::vector<std::byte>(1'000));
      push({packager::SourceSample{packager::MediaKind::video, i * second_us / 24, 0, i % 48 == 0, payload}});
    }
  }
  bool until(const std::function<bool()>& condition, std::chrono::milliseconds limit = 20s) {
    return support::eventually(
        [&] {
          context_.restart();
          context_.poll();
          return condition();
        },
        limit);
  }
  std::size_t shown() const {
    const auto presentation = stream->status().presentation;
    return presentation ? presentation->renditions().size() : 0;
  }

  std::shared_ptr<LiveStream> stream;

 private:
  support::TempDir folder_;
  boost::asio::io_context context_{1};
  WallClock clock_;
  Hub hub_{{&context_}};
  std::unique_ptr<store::Store> store_;
  std::shared_ptr<LivePublication> publication_;
};

}  // namespace

TEST_CASE("a stream that comes back without its sound is shown after its first segment", "[live]") {
  Emptied stage(true);
  stage.push({FormatChange{support::sintel_video_format()}});
  stage.push_pictures(0, 4);
  CHECK(stage.until([&] { return stage.shown() == 1; }));
}

TEST_CASE("a track that joins and sends nothing holds the first playlist back for a segment at most",
          "[live]") {
  Emptied stage(false);
  stage.push({FormatChange{support::sintel_video_format()}});
  stage.push_pictures(0, 2);
  stage.push({FormatChange{support::sintel_audio_format()}});
  stage.push_pictures(2, 7);
  CHECK(stage.until([&] { return stage.shown() > 0; }));
}
