#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "tests/faults/control.hpp"
#include "tests/support/encoder.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/server.hpp"

using namespace lookback::faults;
using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

struct Fault {
  const char* name;
  std::uint32_t calls, places;
  How how;
  int error = 0;
  std::uint32_t stall_ms = 0;
};

constexpr std::uint32_t everywhere = place_index_log | place_index | place_extents | place_folder;

constexpr Fault faults[] = {
    {"ENOSPC of writes", call_write | call_allocate, everywhere, How::error, ENOSPC},
    {"EIO of writes", call_write, everywhere, How::error, EIO},
    {"torn writes", call_write, place_extents | place_index_log, How::torn, EIO},
    {"short writes", call_write, everywhere, How::brief},
    {"EIO of syncs", call_sync, everywhere, How::error, EIO},
    {"syncs of 2 s", call_sync, everywhere, How::stall, 0, 2'000},
    {"writes of 1 s", call_write, place_extents, How::stall, 0, 1'000},
    {"EIO of opens", call_open, everywhere, How::error, EIO},
    {"EIO of truncations, renames and removals", call_truncate | call_rename | call_unlink, everywhere,
     How::error, EIO},
};

/// A server whose disk fails as told.
struct SickServer {
  std::unique_ptr<SharedControl> disk;
  Server server{{.segment = "1s",
                 .replay = "20s",
                 .store = "extent_size = \"1MiB\"\nextent_duration = \"2s\"\n",
                 .environment = [this](const auto& folder) {
                   disk = std::make_unique<SharedControl>(folder / "data", folder / "control");
                   auto environment = disk->environment();
                   environment.emplace_back("LD_PRELOAD", FAULT_SHIM);
                   return environment;
                 }}};

  /// From now on every such call has it.
  void ail(const Fault& fault) {
    auto& control = *disk;
    control->calls = fault.calls;
    control->places = fault.places;
    control->how = static_cast<std::uint32_t>(fault.how);
    control->error = static_cast<std::uint32_t>(fault.error);
    control->stall_ms = fault.stall_ms;
    control->hit = 0;
    control->count = UINT64_MAX;
    control->first = 1;
  }
  std::uint64_t hits() { return (*disk)->hit; }
  void recover() { (*disk)->first = 0; }
};

}  // namespace

TEST_CASE("live goes on while the disk fails in every way, nothing wrong is ever served, and it recovers",
          "[faults]") {
  SickServer sick;
  auto& server = sick.server;
  const Encoder encoder({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  Witness witness(server.http_port(), "live/a", {.hold_hints = false});
  REQUIRE(witness.wait_for_segments(2, 30s));
  for (const auto& fault : faults) {
    CAPTURE(fault.name);
    sick.ail(fault);
    CHECK(witness.wait_for_segments(3, 30s));  // live goes on
    CHECK(eventually([&] { return sick.hits() > 0; }, 30s));
    const auto hits = sick.hits();
    sick.recover();
    CHECK(witness.wait_for_segments(2, 30s));
    std::printf("%s: %llu faults\n", fault.name, static_cast<unsigned long long>(hits));
  }
  REQUIRE(server.process().running());

  // What is listed from here on is stored: no trace of the faults is left.
  const auto first_whole = witness.last_msn().value() + 3;
  REQUIRE(witness.wait_for_segments(6, 60s));
  witness.stop();
  server.kill();
  server.start();
  HttpClient client(server.http_port());
  for (const auto& rendition : witness.renditions()) {
    CAPTURE(rendition.track);
    auto violations = rendition.violations();
    // What the disk did not take becomes a gap when it leaves memory.
    std::erase_if(violations, [](const auto& each) { return each.what.ends_with(" became a gap"); });
    INFO(describe(violations));
    CHECK(violations.empty());
    for (const auto& failure : rendition.failures) UNSCOPED_INFO(failure);
    CHECK(rendition.failures.empty());
    std::size_t wrong = 0, kept = 0;
    for (const auto& [msn, segment] : rendition.segments()) {
      const auto url = resolve(rendition.url, segment.uri);
      const auto& seen = rendition.bytes(segment.uri);
      const auto again = client.get(url);
      const bool same = again.status == 200 && again.body == seen;
      if (again.status == 200 && !same) ++wrong;
      if (msn < first_whole) continue;
      CAPTURE(msn, again.status);
      CHECK(same);
      ++kept;
    }
    CHECK(wrong == 0);
    CHECK(kept >= 3);
  }
}
