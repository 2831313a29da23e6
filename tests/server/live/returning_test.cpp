#include <catch2/catch_test_macros.hpp>

#include "tests/server/live/strand_stage.hpp"
#include "tests/support/sintel_formats.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t second_us = 1'000'000;

/// Tracks without segments.
store::Window emptied(bool had_sound) {
  store::Window window;
  window.tracks.push_back({.track = {0, "v0", 90'000}});
  if (had_sound) window.tracks.push_back({.track = {1, "a0", 48'000}});
  return window;
}

/// A stream that the store knows with pictures and sound, of which all media has gone; on the test's own
/// thread.
class Emptied : public test::StrandStage {
 public:
  explicit Emptied(bool had_sound)
      : StrandStage(1h, std::make_shared<EffectiveSettings>(), emptied(had_sound)),
        publication_(admit({}).value()) {}

  void push(std::vector<IngestEvent> events) { CHECK(publication_->push(std::move(events))); }
  /// 24 pictures a second, a sync sample every two seconds, from second `from` to `to`.
  void push_pictures(int from, int to) {
    for (int i = from * 24; i < to * 24; ++i) {
      const auto payload = make_slice(std::vector<std::byte>(1'000));
      push({packager::SourceSample{packager::MediaKind::video, i * second_us / 24, 0, i % 48 == 0, payload}});
    }
  }
  std::size_t shown() const {
    const auto presentation = stream->status().presentation;
    return presentation ? presentation->renditions().size() : 0;
  }

 private:
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
