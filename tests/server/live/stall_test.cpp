#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "server/live/live_stream.hpp"
#include "tests/support/sintel_formats.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace hls = packager::hls;

namespace {

/// A disk that can be made to hang: the store's writer waits here.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }
  void set_open(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
};

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// A stream with a publisher, on a thread of its own, over a store whose disk may hang.
class Stage {
 public:
  explicit Stage(std::uint64_t max_queue_bytes = 64 << 20) {
    store::Options options;
    options.path = folder_.path();
    options.reserve_bytes = 0;
    options.max_queue_bytes = max_queue_bytes;
    options.max_write_delay = 50ms;
    options.before_write = [this] { disk.pass(); };
    store = std::move(*store::Store::open(options));
    auto record = store->open_stream("live/x").value();
    record.epoch_us = clock_.now_us() - 10'000'000;
    auto settings = std::make_shared<EffectiveSettings>();
    stream_ = std::make_shared<LiveStream>(LiveServices{*store, hub_, clock_}, context_.get_executor(),
                                           record, settings, store::Window{});
    thread_ = std::thread([this] { context_.run(); });
    on_strand([&] {
      stream_->start();
      publication_ = stream_
                         ->admit(
                             {.stream = "live/x"}, context_.get_executor(), [] {}, 64 << 20)
                         .value();
    });
    CHECK(publication_->push({FormatChange{support::sintel_video_format()}}));
  }
  ~Stage() {
    disk.set_open(true);
    on_strand([&] { stream_->stop(); });
    publication_.reset();
    guard_.reset();
    thread_.join();
    stream_.reset();
  }

  /// `frames` at 25 fps with a sync sample each second, 1 kB each.
  void publish(int frames) {
    std::vector<IngestEvent> events;
    for (int i = 0; i < frames; ++i, ++frame_) {
      const auto payload = make_slice(std::vector<std::byte>(1'000, static_cast<std::byte>(frame_)));
      events.push_back(
          packager::SourceSample{packager::MediaKind::video, frame_ * 40'000, 0, frame_ % 25 == 0, payload});
    }
    CHECK(publication_->push(std::move(events)));
  }
  std::shared_ptr<const hls::Rendition> video() {
    PresentationPtr presentation;
    on_strand([&] {
      if (const auto channel = hub_.shard(0).find("live/x")) presentation = channel->presentation();
    });
    return presentation ? presentation->rendition("v0") : nullptr;
  }
  /// Waits until the segment is listed.
  bool lists(std::uint64_t msn) {
    return eventually([&] {
      const auto rendition = video();
      return rendition && rendition->last_msn() && *rendition->last_msn() >= msn;
    });
  }

  Gate disk;
  std::unique_ptr<store::Store> store;

 private:
  void on_strand(const std::function<void()>& work) {
    std::promise<void> done;
    asio::post(context_, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  support::TempDir folder_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_ = asio::make_work_guard(context_);
  WallClock clock_;
  Hub hub_{{&context_}};
  std::shared_ptr<LiveStream> stream_;
  std::shared_ptr<LivePublication> publication_;
  std::thread thread_;
  std::int64_t frame_ = 0;
};

}  // namespace

TEST_CASE("while the disk hangs the live edge goes on from memory, and late answers list nothing twice",
          "[server][stall]") {
  Stage stage;
  stage.publish(25 * 5);
  REQUIRE(stage.lists(1));
  stage.disk.set_open(false);
  stage.publish(25 * 6);
  REQUIRE(stage.lists(4));  // the disk has taken nothing since
  std::vector<hls::SegmentView> listed;
  for (std::uint64_t msn = 2; msn <= 4; ++msn) listed.push_back(stage.video()->segment(msn).value());
  CHECK(stage.store->queued_bytes() > 100'000);
  for (const auto& segment : listed) {
    CHECK(segment.record.duration == 2 * 90'000);
    CHECK(size_of(segment.bytes) == segment.record.size_bytes);
  }

  stage.disk.set_open(true);
  stage.store->flush();
  REQUIRE(eventually([&] { return stage.video()->segment(4)->record.extent != 0; }));
  for (const auto& segment : listed) {
    const auto now = stage.video()->segment(segment.record.msn).value().record;
    const auto stored = stage.store->find_segment(1, 0, now.msn).value();
    CHECK(now.extent == stored.extent);
    CHECK(now.offset == stored.offset);
    CHECK(now.parts.size() == stored.parts.size());
    const auto file = stage.store->extent(stored.extent).value();
    CHECK(**file->read(stored.offset, stored.size_bytes) == flatten(segment.bytes));
  }
  stage.publish(25 * 3);  // and goes on
  REQUIRE(stage.lists(5));
  CHECK(stage.video()->first_msn() == 0);
}

TEST_CASE("a disk that hangs longer than the queue goes leaves gaps in the store, none at the live edge",
          "[server][stall]") {
  Stage stage(120'000);
  stage.publish(25 * 3);
  REQUIRE(stage.lists(0));
  stage.disk.set_open(false);
  for (int second = 0; second < 15; ++second) {
    stage.publish(25);
    std::this_thread::yield();
  }
  REQUIRE(stage.lists(7));
  CHECK(stage.store->queued_bytes() <= 120'000 + (8 << 20));
  for (std::uint64_t msn = 4; msn <= 7; ++msn) CHECK(!stage.video()->segment(msn)->bytes.empty());
  stage.disk.set_open(true);
  stage.store->flush();
  stage.publish(25 * 5);
  REQUIRE(stage.lists(9));
  stage.store->flush();
  std::set<std::uint64_t> gaps;
  const auto window = stage.store->load_window(1, 0).value();
  for (const auto& segment : window.tracks.at(0).segments) {
    if (segment.gap) gaps.insert(segment.msn);
  }
  CHECK(gaps.contains(6));
  CHECK(!gaps.contains(0));
  CHECK(!gaps.contains(9));
}
