#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <mutex>
#include <thread>

#include "packager/hls/rendition_builder.hpp"
#include "tests/packager/hls/inflate.hpp"
#include "tests/packager/hls/timeline.hpp"

using namespace lookback;
using namespace lookback::packager::hls;
using namespace lookback::test;

TEST_CASE("readers on several threads get the same texts while the stream goes on (rules 32, 111)",
          "[packager][hls][threads]") {
  Timeline timeline({});
  RenditionBuilder builder(builder_options({}, 600'000'000));
  builder.load(timeline.segments(300));
  std::mutex mutex;
  std::shared_ptr<const Rendition> newest = builder.snapshot({});
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0}, read{0};
  const auto reader = [&] {
    while (!done) {
      std::shared_ptr<const Rendition> rendition;
      {
        const std::lock_guard lock(mutex);
        rendition = newest;
      }
      for (const bool delta : {true, false})
        if (gunzip(rendition->playlist(delta, Coding::gzip, "").body) != playlist(*rendition, delta)) ++wrong;
      ++read;
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(reader);
  for (int i = 0; i < 1'000 || read < 50; ++i) {
    auto step = timeline.next();
    builder.add(step.record, std::move(step.bytes));
    auto next = builder.snapshot({{"a0", {1, static_cast<std::uint32_t>(i)}}});
    const std::lock_guard lock(mutex);
    newest = std::move(next);
  }
  done = true;
  for (auto& thread : readers) thread.join();
  CHECK(wrong == 0);
}
