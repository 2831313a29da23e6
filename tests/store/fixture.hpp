#pragma once
#include <catch2/catch_test_macros.hpp>
#include <future>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "store/store.hpp"
#include "tests/support/temp_dir.hpp"

/// What the store's tests share: a stream with one video track at 90 kHz, parts of 0.5 s, four to a segment.
namespace lookback::store::test {

using support::TempDir;

inline constexpr std::uint32_t timescale = 90'000;
inline constexpr std::uint32_t part_ticks = 45'000;
inline constexpr std::size_t parts_per_segment = 4;
inline constexpr std::int64_t segment_us = 2'000'000;
inline constexpr std::int64_t epoch_us = 1'700'000'000'000'000;

/// Bytes that only this part has: 1 to 20 kB, the same at each call.
inline std::vector<std::byte> part_bytes(std::uint64_t msn, std::size_t part, TrackId track = 0) {
  std::mt19937_64 random(msn * 1'000 + part * 10 + track);
  std::vector<std::byte> bytes(1'000 + random() % 19'000);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// The append of part `part` of segment `msn`, as the packager makes it.
inline Append part_append(StreamId stream, std::uint64_t msn, std::size_t part, TrackId track = 0) {
  Append append{.stream = stream, .track = track, .timescale = timescale, .segment = {}, .bytes = {}};
  auto& segment = append.segment;
  segment.msn = msn;
  segment.start = static_cast<std::int64_t>(msn * parts_per_segment * part_ticks);
  segment.pdt_us = epoch_us + static_cast<std::int64_t>(msn) * segment_us;
  segment.init_id = 1;
  for (std::size_t i = 0; i <= part; ++i) {
    segment.parts.push_back({.duration = part_ticks, .size_bytes = 0, .crc32c = 0, .independent = i == 0});
  }
  segment.duration = static_cast<std::uint32_t>((part + 1) * part_ticks);
  segment.complete = part + 1 == parts_per_segment;
  append.bytes.push_back(make_slice(part_bytes(msn, part, track)));
  return append;
}

inline Result<SegmentRecord> append_and_wait(Store& store, Append append) {
  std::promise<Result<SegmentRecord>> answer;
  auto future = answer.get_future();
  store.append(std::move(append), [&](Result<SegmentRecord> result) { answer.set_value(std::move(result)); });
  return future.get();
}

inline void append_segment(Store& store, StreamId stream, std::uint64_t msn, TrackId track = 0) {
  for (std::size_t part = 0; part < parts_per_segment; ++part) {
    REQUIRE(append_and_wait(store, part_append(stream, msn, part, track)).has_value());
  }
}

/// Collects what the store logs; thread-safe.
class LogLines {
 public:
  Log sink() {
    return [this](std::string line) {
      const std::lock_guard lock(mutex_);
      text_ += line + "\n";
    };
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

inline Options options_at(const std::filesystem::path& path) {
  Options options;
  options.path = path;
  options.reserve_bytes = 0;
  return options;
}

inline std::unique_ptr<Store> open_store(Options options) {
  auto opened = Store::open(std::move(options));
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

/// Opens the stream "live/test" with its track and first init.
inline StreamId open_test_stream(Store& store) {
  const auto stream = store.open_stream("live/test");
  REQUIRE(stream.has_value());
  store.put_track(stream->id, {.id = 0, .name = "v0", .timescale = timescale});
  store.put_init(stream->id,
                 {.track = 0, .id = 1, .bytes = std::vector<std::byte>(700, std::byte{7}), .format = {}});
  return stream->id;
}

/// The stored bytes of the segment, part by part, equal what was appended.
inline void check_bytes(Store& store, const SegmentRecord& segment, TrackId track = 0) {
  CAPTURE(segment.msn, segment.extent, segment.offset);
  const auto file = store.extent(segment.extent);
  REQUIRE(file.has_value());
  auto at = segment.offset;
  for (std::size_t part = 0; part < segment.parts.size(); ++part) {
    const auto bytes = (*file)->read(at, segment.parts[part].size_bytes);
    REQUIRE(bytes.has_value());
    CHECK(**bytes == part_bytes(segment.msn, part, track));
    at += segment.parts[part].size_bytes;
  }
  CHECK(at == segment.offset + segment.size_bytes);
}

}  // namespace lookback::store::test
