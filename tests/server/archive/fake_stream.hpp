#pragma once
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "server/archive/recordings.hpp"
#include "store/store.hpp"
#include "tests/support/temp_dir.hpp"

namespace lookback::test {

/// A store with a stream "live/a" of one track: segments of 2 s in two parts, of which every second one
/// starts with a sync sample. Its clock stands at the end of the newest part. What the stream is said to do
/// is set by hand.
class FakeStream {
 public:
  static constexpr std::uint64_t segment_bytes = 3'000;
  static constexpr std::int64_t second_us = 1'000'000;
  static constexpr std::int64_t t0_us = 1'790'000'000 * second_us;

  FakeStream() {
    open();
    status.name = "live/a";
    status.id = store_->open_stream("live/a").value().id;
    status.state = server::StreamStatus::State::publishing;
    status.run = 1;
    status.run_started_us = t0_us;
    set_rec(false);
    store_->put_track(status.id, {.id = 0, .name = "v0", .timescale = 1'000});
    store_->put_init(status.id, {.track = 0, .id = 1, .bytes = {std::byte{1}}, .format = {std::byte{2}}});
  }

  store::Store& store() { return *store_; }
  server::Recordings::Live live() {
    return {[this] { return std::vector{status}; }, [] { return true; }, [this] { return now_us_; }};
  }
  std::int64_t at(std::int64_t seconds) const { return t0_us + seconds * second_us; }
  /// Time goes by without media.
  void pass(std::int64_t seconds) { now_us_ += seconds * second_us; }

  void segments(int count) {
    for (int i = 0; i < count; ++i) {
      part_of_next();
      rest_of_next();
    }
  }
  /// The first half of a segment.
  void part_of_next() { append(false); }
  /// The second half.
  void rest_of_next() { append(true); }
  /// The next segment starts this much later, after a discontinuity.
  void session_break(std::int64_t seconds) {
    next_us_ += seconds * second_us;
    discontinuity_ = true;
  }

  void set_rec(bool enabled, std::chrono::milliseconds duration = std::chrono::milliseconds(0)) {
    auto settings = std::make_shared<server::EffectiveSettings>();
    settings->values.rec = {enabled, duration};
    status.settings = std::move(settings);
  }

  /// As after a restart of the process.
  void reopen() {
    store_.reset();
    open();
  }
  /// Bytes of all extents together.
  std::uint64_t media_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder_.path() / "extents"))
      sum += file.file_size();
    return sum;
  }

  server::StreamStatus status;

 private:
  void open() {
    store::Options options;
    options.path = folder_.path();
    options.reserve_bytes = 0;
    store_ = std::move(store::Store::open(options).value());
  }
  void append(bool last) {
    if (!last) {
      record_ = {};
      record_.msn = next_msn_++;
      record_.start = (next_us_ - t0_us) / 1'000;
      record_.pdt_us = next_us_;
      record_.init_id = 1;
      record_.discontinuity = std::exchange(discontinuity_, false);
    }
    record_.parts.push_back(
        {.duration = 1'000, .size_bytes = 0, .crc32c = 0, .independent = !last && record_.msn % 2 == 0});
    record_.duration += 1'000;
    record_.complete = last;
    next_us_ += second_us;
    now_us_ = next_us_;
    store::Append append;
    append.stream = status.id;
    append.timescale = 1'000;
    append.segment = record_;
    append.bytes = {make_slice(std::string(segment_bytes / 2, static_cast<char>('a' + record_.msn % 26)))};
    std::promise<Result<store::SegmentRecord>> stored;
    store_->append(std::move(append),
                   [&](Result<store::SegmentRecord> answer) { stored.set_value(std::move(answer)); });
    record_ = stored.get_future().get().value();
  }

  support::TempDir folder_;
  std::unique_ptr<store::Store> store_;
  std::int64_t next_us_ = t0_us, now_us_ = t0_us;
  std::uint64_t next_msn_ = 0;
  bool discontinuity_ = false;
  store::SegmentRecord record_;
};

}  // namespace lookback::test
