#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "tests/faults/control.hpp"
#include "tests/store/power_cut.hpp"
#include "tests/support/process.hpp"

using namespace lookback;
using namespace lookback::faults;
using namespace lookback::store::test;
using support::Process;
using support::TempDir;
using namespace std::chrono_literals;

namespace {

/// A store in a process of its own, whose file calls fail as told.
class FaultyStore {
 public:
  Control& control() { return *control_; }

  /// The driver's exit code; 124: it did not end in time. The check is told what the scenario has recorded.
  int run(const std::string& mode) {
    std::vector<std::string> arguments{STORE_DRIVER, mode, (folder_.path() / "store").string()};
    if (mode == "check") arguments.push_back(std::to_string(recorded_));
    Process process({.arguments = std::move(arguments), .environment = control_.environment()});
    const auto code = process.wait(60s);
    if (!code) process.kill();
    process.wait_for_end_of_output(5s);
    words_ = process.err();
    if (mode == "scenario") recorded_ = std::strtoull(process.out().c_str(), nullptr, 10);
    return code.value_or(124);
  }
  const std::string& words() const { return words_; }
  /// Segments of which the store has said that a recording keeps them.
  std::uint64_t recorded() const { return recorded_; }

 private:
  TempDir folder_;
  SharedControl control_{folder_.path() / "store", folder_.path() / "control"};
  std::string words_;
  std::uint64_t recorded_ = 0;
};

struct Kind {
  const char* name;
  std::uint32_t calls, places;
  How how;
  int error;
};

/// How many calls of the kind the scenario makes when nothing fails.
std::uint64_t count_calls(const Kind& kind) {
  FaultyStore store;
  store.control().calls = kind.calls;
  store.control().places = kind.places;
  REQUIRE(store.run("scenario") == 0);
  REQUIRE(store.recorded() == 4);  // two segments of two tracks
  REQUIRE(store.run("check") == 0);
  return store.control().seen;
}

/// The scenario with `count` faults from call `first` on, then the check without. Whether it kept all
/// promises.
bool keeps_promises(const Kind& kind, std::uint64_t first, std::uint64_t count) {
  FaultyStore store;
  auto& control = store.control();
  control.calls = kind.calls;
  control.places = kind.places;
  control.how = static_cast<std::uint32_t>(kind.how);
  control.error = static_cast<std::uint32_t>(kind.error);
  control.stall_ms = 300;
  control.count = count;
  control.first = first;
  const auto code = store.run("scenario");
  auto words = store.words();
  control.first = 0;
  // A store that cannot be opened for a fault says so; the next time it opens.
  const bool good = (code == 0 || (code == 20 && !words.empty())) && store.run("check") == 0;
  if (!good) {
    std::fprintf(stderr, "%s, call %llu and %llu after it: exit code %d\n%s\ncheck: %s\n", kind.name,
                 static_cast<unsigned long long>(first), static_cast<unsigned long long>(count - 1), code,
                 words.c_str(), store.words().c_str());
  }
  return good;
}

/// Every n-th call, or with a step that keeps the run short; LOOKBACK_CAMPAIGN=1 takes every one.
void campaign(const Kind& kind, std::uint64_t most) {
  const auto calls = count_calls(kind);
  REQUIRE(calls > 0);
  const bool all = std::getenv("LOOKBACK_CAMPAIGN") != nullptr;
  const auto step = all ? 1 : std::max<std::uint64_t>(1, calls / most);
  std::uint64_t runs = 0, broken = 0;
  for (std::uint64_t first = 1 + (calls % step) / 2; first <= calls; first += step) {
    for (const std::uint64_t count : {1, 20}) {
      ++runs;
      if (!keeps_promises(kind, first, count)) ++broken;
    }
  }
  std::printf("%s: %llu calls, %llu runs, %llu broken\n", kind.name, static_cast<unsigned long long>(calls),
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(broken));
  CAPTURE(kind.name, calls, runs);
  CHECK(broken == 0);
}

constexpr std::uint32_t everywhere = place_index_log | place_index | place_extents | place_folder;

}  // namespace

TEST_CASE("writes of media that fail are told, cost their segments only, and end by themselves",
          "[store][faults]") {
  campaign({"ENOSPC on extents", call_write, place_extents, How::error, ENOSPC}, 6);
  campaign({"EIO on extents", call_write, place_extents, How::error, EIO}, 6);
  campaign({"torn writes of extents", call_write, place_extents, How::torn, EIO}, 6);
}

TEST_CASE("short writes are no fault at all", "[store][faults]") {
  campaign({"short writes", call_write, everywhere, How::brief, 0}, 8);
}

TEST_CASE("failing writes of the index's log end nothing, and are made good", "[store][faults]") {
  campaign({"EIO on the index's log", call_write, place_index_log, How::error, EIO}, 8);
  campaign({"ENOSPC on the index's log", call_write, place_index_log, How::error, ENOSPC}, 8);
  campaign({"torn writes of the index's log", call_write, place_index_log, How::torn, EIO}, 8);
}

TEST_CASE("failing writes of the index's tables and beside them end nothing", "[store][faults]") {
  campaign({"EIO on the index's tables", call_write, place_index, How::error, EIO}, 4);
  campaign({"EIO beside", call_write, place_folder, How::error, EIO}, 4);
}

TEST_CASE("a failed sync is a loss that is told, never a lie", "[store][faults]") {
  campaign({"EIO of syncs", call_sync, everywhere, How::error, EIO}, 10);
}

TEST_CASE("files that cannot be made, cut, renamed or removed end nothing", "[store][faults]") {
  campaign({"EIO of opens", call_open, everywhere, How::error, EIO}, 6);
  campaign({"ENOSPC of opens", call_open, place_extents, How::error, ENOSPC}, 3);
  campaign({"EIO of truncations", call_truncate, everywhere, How::error, EIO}, 3);
  campaign({"ENOSPC of allocations", call_allocate, everywhere, How::error, ENOSPC}, 3);
  campaign({"EIO of renames", call_rename, everywhere, How::error, EIO}, 3);
  campaign({"EIO of removals", call_unlink, everywhere, How::error, EIO}, 3);
}

TEST_CASE("a slow disk delays the store and breaks nothing", "[store][faults]") {
  campaign({"slow syncs", call_sync, everywhere, How::stall, 0}, 2);
}
