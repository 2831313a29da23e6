#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

#include "store/verify.hpp"
#include "tests/faults/power.hpp"
#include "tests/faults/report.hpp"
#include "tests/faults/shim.hpp"
#include "tests/store/fixture.hpp"
#include "tests/support/process.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
using faults::Report;

namespace {

constexpr std::int64_t promised_us = 2'000'000;  ///< at most this much is lost with the power

/// What a writer reported before the power went.
struct Witnessed {
  std::map<std::uint64_t, std::map<std::uint64_t, std::int64_t>> stored;  ///< by segment and part: when
  std::uint64_t durable = 0;                                              ///< segments below are durable
  std::int64_t cut_us = 0;
};

/// Appends from `first` on until the power goes, at a random instant.
Witnessed write_until_cut(const std::filesystem::path& folder, std::uint64_t first, std::mt19937_64& random) {
  support::Process writer(
      {.arguments = {STORE_DRIVER, "write", (folder / "store").string(), std::to_string(first)},
       .environment = {{faults::folder_variable, (folder / "store").string()},
                       {faults::mirror_variable, (folder / "mirror").string()}}});
  std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 600));
  Witnessed out;
  out.cut_us = std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::steady_clock::now().time_since_epoch())
                   .count();
  writer.kill();
  REQUIRE(writer.wait_for_end_of_output(std::chrono::seconds(10)));
  const auto text = writer.out();
  Report report;
  for (std::size_t at = 0; at + sizeof(report) <= text.size(); at += sizeof(report)) {
    std::memcpy(&report, text.data() + at, sizeof(report));
    if (report.kind == Report::Kind::durable)
      out.durable = report.msn + 1;
    else
      out.stored[report.msn][report.part] = report.time_us;
  }
  return out;
}

}  // namespace

TEST_CASE("a power cut costs the newest two seconds at most, and never a wrong byte", "[store][power]") {
  const auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const int rounds = std::getenv("LOOKBACK_CAMPAIGN") != nullptr ? 300 : 12;
  const TempDir folder;
  const auto path = folder.path() / "store";
  { const auto store = open_store(options_at(path)); }
  std::uint64_t next = 0, stored = 0, lost = 0, gaps = 0;
  std::int64_t oldest_lost_us = 0;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    faults::Power power(path, folder.path() / "mirror", random());
    power.on();
    const auto seen = write_until_cut(folder.path(), next, random);
    power.cut();

    LogLines log;
    auto options = options_at(path);
    options.log = log.sink();
    auto opened = Store::open(options);
    INFO(log.text());
    REQUIRE(opened.has_value());
    auto& store = **opened;
    std::map<std::uint64_t, SegmentRecord> now;
    const auto window = store.load_window(1, INT64_MIN);
    REQUIRE(window.has_value());
    for (const auto& track : window->tracks)
      for (const auto& segment : track.segments) {
        CHECK(segment.complete);
        CHECK((now.empty() || segment.msn > now.rbegin()->first));
        now[segment.msn] = segment;
        if (!segment.gap) check_bytes(store, segment);
        if (segment.gap) ++gaps;
      }
    // What the writer let expire may be gone or not.
    const auto oldest = now.empty() ? 0 : now.begin()->first;
    for (const auto& [msn, parts] : seen.stored) {
      const auto found = now.find(msn);
      const auto there = found == now.end() || found->second.gap ? 0 : found->second.parts.size();
      for (const auto& [part, time_us] : parts) {
        ++stored;
        if (part < there || msn < oldest) continue;
        CAPTURE(msn, part, seen.durable);
        CHECK(msn >= seen.durable);
        oldest_lost_us = std::max(oldest_lost_us, seen.cut_us - time_us);
        ++lost;
      }
      next = std::max(next, msn + 1);
    }
    if (!now.empty()) next = std::max(next, now.rbegin()->first + 1);
    opened->reset();
    const auto report = verify(path, log.sink(), {});
    REQUIRE(report.has_value());
    for (const auto& finding : report->findings) UNSCOPED_INFO(describe(finding));
    CHECK(report->damaged == 0);
  }
  std::printf(
      "power loss: %d rounds, %llu parts stored, %llu lost, %llu gaps seen, the oldest lost part was %lld ms "
      "old\n",
      rounds, static_cast<unsigned long long>(stored), static_cast<unsigned long long>(lost),
      static_cast<unsigned long long>(gaps), static_cast<long long>(oldest_lost_us / 1'000));
  CHECK(stored > 0);
  CHECK(oldest_lost_us <= promised_us);
}
