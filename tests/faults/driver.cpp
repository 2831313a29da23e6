// A store in a process of its own, for tests that break it from outside: faults, power cuts.
//   store_driver scenario DIR    a store's life while the shim makes faults; checks what it says is stored
//                                prints how many segments it keeps by a recording
//   store_driver check DIR N     opens what is left, without faults, and checks again, also for N such
//   segments store_driver write DIR MSN   appends from MSN on for ever; reports to stdout (Report)
// Exit code 0: all is as promised; 1: not so, with words on stderr; 20: the store refused to open, in words.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <thread>

#include "store/verify.hpp"
#include "tests/faults/report.hpp"
#include "tests/store/fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t first_after_faults = 100;
constexpr auto recording_id = "abcdefghij01";

int failures = 0;

void expect(bool is_so, const std::string& what) {
  if (is_so) return;
  std::fprintf(stderr, "NOT SO: %s\n", what.c_str());
  ++failures;
}

Options driver_options(const char* path) {
  Options options;
  options.path = path;
  options.reserve_bytes = 0;
  options.extent_size_bytes = 60'000;
  options.sync_interval = 10ms;
  options.log = [](const std::string& line) { std::fprintf(stderr, "store: %s\n", line.c_str()); };
  return options;
}

/// As append_and_wait, without Catch.
bool append(Store& store, Append part) {
  std::promise<bool> answer;
  auto future = answer.get_future();
  store.append(std::move(part),
               [&](const Result<SegmentRecord>& result) { answer.set_value(result.has_value()); });
  return future.get();
}

/// Number of parts that the store said it had.
std::size_t append_parts(Store& store, StreamId stream, std::uint64_t msn, TrackId track) {
  std::size_t stored = 0;
  for (std::size_t part = 0; part < parts_per_segment; ++part)
    if (append(store, part_append(stream, msn, part, track))) ++stored;
  return stored;
}

bool bytes_are_right(Store& store, const SegmentRecord& segment, TrackId track) {
  const auto file = store.extent(segment.extent);
  if (!file) return false;
  auto at = segment.offset;
  for (std::size_t part = 0; part < segment.parts.size(); ++part) {
    const auto bytes = (*file)->read(at, segment.parts[part].size_bytes);
    if (!bytes || **bytes != part_bytes(segment.msn, part, track)) return false;
    at += segment.parts[part].size_bytes;
  }
  return true;
}

std::string name_of(const SegmentRecord& segment, TrackId track) {
  return "segment " + std::to_string(segment.msn) + " of track " + std::to_string(track);
}

/// Whatever the store says it has must be what was appended. The segments that it has whole, by track and
/// msn.
std::map<std::pair<TrackId, std::uint64_t>, std::size_t> check_all(Store& store, StreamId stream) {
  std::map<std::pair<TrackId, std::uint64_t>, std::size_t> whole;
  const auto window = store.load_window(stream, INT64_MIN);
  expect(window.has_value(), "the window can be loaded");
  if (!window) return whole;
  for (const auto& track : window->tracks) {
    std::uint64_t before = 0;
    for (const auto& segment : track.segments) {
      expect(segment.msn >= before, "numbers grow");
      before = segment.msn + 1;
      if (segment.gap || segment.parts.empty()) continue;
      expect(bytes_are_right(store, segment, track.track.id),
             name_of(segment, track.track.id) + " is as appended");
      whole[{track.track.id, segment.msn}] = segment.parts.size();
    }
  }
  return whole;
}

/// Until the fault is over; the store must come back by itself.
StreamId stream_of(Store& store) {
  for (int i = 0; i < 200; ++i) {
    if (const auto stream = store.open_stream("live/test")) {
      for (const TrackId track : {0, 1}) {
        store.put_track(stream->id, {.id = track, .name = track == 0 ? "v0" : "a0", .timescale = timescale});
        store.put_init(
            stream->id,
            {.track = track, .id = 1, .bytes = std::vector<std::byte>(700, std::byte{7}), .format = {}});
      }
      return stream->id;
    }
    std::this_thread::sleep_for(50ms);
  }
  expect(false, "a stream can be opened when the fault is over");
  return 0;
}

bool stores_again(Store& store, StreamId stream) {
  for (std::uint64_t msn = first_after_faults; msn < first_after_faults + 200; ++msn) {
    if (append_parts(store, stream, msn, 0) == parts_per_segment &&
        append_parts(store, stream, msn, 1) == parts_per_segment)
      return true;
    std::this_thread::sleep_for(50ms);
  }
  return false;
}

/// Keeps the first two segments, which leave the window later. Whether the store has taken it.
bool record_first_two(Store& store, StreamId stream) {
  RecordingRecord recording;
  recording.id = recording_id;
  recording.stream = stream;
  recording.name = "the first two";
  recording.created_us = recording.start_us = epoch_us;
  recording.end_us = epoch_us + 2 * segment_us;
  recording.first_msn = 0;
  recording.end_msn = 2;
  recording.ended = true;
  return store.put_recording(recording).has_value();
}

/// How many segments of the recording the store lists, whole or as gaps.
std::size_t count_recorded(Store& store, StreamId stream) {
  expect(store.find_recording(recording_id).has_value(), "the recording is there");
  const auto range = store.load_range(stream, 0, 2);
  expect(range.has_value(), "the recording can be loaded");
  if (!range) return 0;
  std::size_t count = 0;
  for (const auto& track : range->tracks) count += track.segments.size();
  return count;
}

int scenario(const char* path) {
  auto opened = Store::open(driver_options(path));
  if (!opened) return 20;
  auto& store = **opened;
  const auto stream = stream_of(store);
  std::map<std::pair<TrackId, std::uint64_t>, std::size_t> acknowledged;
  std::size_t recorded = 0;
  for (std::uint64_t msn = 0; msn < 8; ++msn) {
    for (const TrackId track : {0, 1}) acknowledged[{track, msn}] = append_parts(store, stream, msn, track);
    if (msn % 2 == 1) store.flush();
    if (msn == 2 && record_first_two(store, stream)) recorded = count_recorded(store, stream);
    if (msn == 6) store.expire(stream, epoch_us + 4 * segment_us);
  }
  expect(stores_again(store, stream), "the store goes on by itself when the fault is over");
  store.flush();
  const auto stored = check_all(store, stream);
  for (const auto& [key, parts] : stored) {
    if (key.second < first_after_faults && parts < acknowledged[key])
      expect(false, "acknowledged parts are there, or a gap");
  }
  if (recorded > 0) expect(count_recorded(store, stream) >= recorded, "what is recorded outlives the window");
  std::printf("%zu\n", recorded);
  opened->reset();
  return failures == 0 ? 0 : 1;
}

int check(const char* path, std::size_t recorded) {
  auto options = driver_options(path);
  auto opened = Store::open(options);
  expect(opened.has_value(), "the store opens when the fault is over");
  if (!opened) return 1;
  const auto stream = stream_of(**opened);
  check_all(**opened, stream);
  if (recorded > 0)
    expect(count_recorded(**opened, stream) >= recorded, "what is recorded survives the next start");
  expect(append_parts(**opened, stream, 1'000, 0) == parts_per_segment, "media goes on");
  opened->reset();
  const auto report = verify(path, options.log, {});
  expect(report.has_value(), "verify runs");
  if (!report) return 1;
  for (const auto& finding : report->findings) {
    // A footer that could not be written is no damage to what players get.
    expect(finding.kind == Finding::Kind::block, describe(finding));
  }
  return failures == 0 ? 0 : 1;
}

[[noreturn]] void write_for_ever(const char* path, std::uint64_t msn) {
  auto options = driver_options(path);
  options.sync_interval = 100ms;
  auto opened = Store::open(options);
  if (!opened) ::_exit(20);
  auto& store = **opened;
  const auto stream = stream_of(store);
  const auto report = [](faults::Report::Kind kind, std::uint64_t number, std::uint64_t part) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const faults::Report message{kind, number, part,
                                 std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
    if (::write(STDOUT_FILENO, &message, sizeof(message)) != sizeof(message)) ::_exit(3);
  };
  for (;; ++msn) {
    for (std::size_t part = 0; part < parts_per_segment; ++part) {
      if (!append(store, part_append(stream, msn, part))) ::_exit(4);
      report(faults::Report::Kind::stored, msn, part);
    }
    if (msn % 16 != 15) continue;
    store.flush();
    report(faults::Report::Kind::durable, msn, 0);
    if (msn % 64 == 63) store.expire(stream, epoch_us + static_cast<std::int64_t>(msn - 32) * segment_us);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (argc == 3 && mode == "scenario") return scenario(argv[2]);
  if (argc == 4 && mode == "check") return check(argv[2], std::stoull(argv[3]));
  if (argc == 4 && mode == "write") write_for_ever(argv[2], std::stoull(argv[3]));
  std::fprintf(stderr, "usage: store_driver scenario DIR, check DIR N, or write DIR MSN\n");
  return 2;
}
