#include <map>
#include <optional>
#include <thread>

#include "tests/store/power_cut.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;

namespace {

struct Report {
  std::uint64_t msn = 0;
  std::uint64_t part = 0;
};

/// Appends from `first` on, for ever, and writes a Report for each part that is acknowledged.
[[noreturn]] void append_and_report(Options options, std::uint64_t first, int reports) {
  options.sync_interval = std::chrono::milliseconds(5);
  options.extent_size_bytes = 200'000;  // so that extents roll, too
  auto store = Store::open(options);
  if (!store) ::_exit(2);
  const auto stream = test_stream_or_exit(**store);
  const auto report = [reports](std::uint64_t msn, std::size_t part) {
    return [=](const Result<SegmentRecord>& result) {
      const Report message{msn, part};
      if (!result || ::write(reports, &message, sizeof(message)) != sizeof(message)) ::_exit(3);
    };
  };
  for (auto msn = first;; ++msn) {
    for (std::size_t part = 0; part < parts_per_segment; ++part) {
      while ((*store)->queued_bytes() > 300'000) std::this_thread::yield();
      (*store)->append(part_append(stream, msn, part), report(msn, part));
    }
  }
}

std::optional<Report> read_report(int from) {
  Report report;
  return ::read(from, &report, sizeof(report)) == sizeof(report) ? std::optional(report) : std::nullopt;
}

/// Number of parts of each segment that the child reported before it was killed after `count` reports.
std::map<std::uint64_t, std::size_t> run_and_kill(const Options& options, std::uint64_t first,
                                                  std::size_t count) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) append_and_report(options, first, to.get());
  to = Descriptor();
  std::map<std::uint64_t, std::size_t> acknowledged;
  const auto note = [&](const Report& report) { acknowledged[report.msn] = report.part + 1; };
  for (std::size_t i = 0; i < count; ++i) {
    const auto report = read_report(from.get());
    REQUIRE(report.has_value());
    note(*report);
  }
  ::kill(child, SIGKILL);
  while (const auto report = read_report(from.get())) note(*report);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  return acknowledged;
}

/// Kills an open of the store after `delay`: in the midst of its recovery, or after it.
void kill_while_opening(const Options& options, std::chrono::microseconds delay) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto store = Store::open(options);
    for (;;) ::pause();
  }
  std::this_thread::sleep_for(delay);
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
}

}  // namespace

TEST_CASE("every part that was acknowledged survives kill -9, twice and during recovery", "[store][kill]") {
  const TempDir folder;
  const auto options = options_at(folder.path());
  std::mt19937 random(7);
  std::map<std::uint64_t, std::size_t> acknowledged;
  std::uint64_t next = 0;
  for (int round = 0; round < 20; ++round) {
    for (const auto& [msn, parts] : run_and_kill(options, next, 1 + random() % 120))
      acknowledged[msn] = parts;
    if (round % 3 == 0) kill_while_opening(options, std::chrono::microseconds(random() % 40'000));

    const auto store = open_store(options);
    const auto stream = open_test_stream(*store);
    for (const auto& [msn, parts] : acknowledged) {
      const auto segment = store->find_segment(stream, 0, msn);
      CAPTURE(round, msn, parts);
      REQUIRE(segment.has_value());
      CHECK(segment->complete);
      CHECK(segment->parts.size() >= parts);
      CHECK(segment->duration == segment->parts.size() * part_ticks);
      check_bytes(*store, *segment);
    }
    CHECK(store->recovery().segments_lost == 0);
    CHECK(store->recovery().extents_missing == 0);
    const auto window = store->load_window(stream, 0);
    REQUIRE(window.has_value());
    next = window->tracks.at(0).segments.back().msn + 1;
  }
}
