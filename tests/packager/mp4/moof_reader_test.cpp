#include "packager/mp4/moof_reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "packager/mp4/fragment.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

std::vector<std::byte> filled(std::size_t size) { return std::vector<std::byte>(size, std::byte{0x5A}); }

Sample sample(Ticks dts, Ticks duration, std::int32_t composition, bool sync, std::size_t size) {
  return {.dts = dts,
          .duration = duration,
          .composition = composition,
          .sync = sync,
          .payload = make_slice(filled(size))};
}

std::vector<std::byte> part(const std::vector<Sample>& samples) { return flatten(make_fragment(1, samples)); }

bool reads(ByteSpan bytes, SampleTable& table, std::uint32_t offset = 0) {
  return read_part(bytes, static_cast<std::uint32_t>(bytes.size()), offset, table).has_value();
}

}  // namespace

TEST_CASE("a part's samples are read back, whatever its boxes leave to defaults", "[packager][movie]") {
  const bool equal_durations = GENERATE(true, false), equal_sizes = GENERATE(true, false);
  const bool reordered = GENERATE(true, false);
  const int syncs = GENERATE(0, 1, 2);  // none, the first, every second
  std::vector<Sample> samples;
  SampleTable expected;
  Ticks dts = expected.start = 7'000;
  for (int i = 0; i < 5; ++i) {
    const auto duration = equal_durations ? 3'000 : 3'000 + i;
    const auto size = static_cast<std::size_t>(equal_sizes ? 40 : 40 + i);
    const auto composition = reordered ? (i % 3 - 1) * 3'000 : 0;
    const bool sync = syncs == 2 ? i % 2 == 0 : syncs == 1 && i == 0;
    samples.push_back(sample(dts, duration, composition, sync, size));
    expected.samples.push_back(
        {static_cast<std::uint32_t>(duration), static_cast<std::uint32_t>(size), composition, sync});
    dts += duration;
  }
  const auto bytes = part(samples);
  SampleTable table;
  REQUIRE(reads(bytes, table, 1'000));
  CHECK(table.samples == expected.samples);
  CHECK(table.start == 7'000);
  CHECK(table.end == dts);
  std::size_t payload = 0;
  for (const auto& one : samples) payload += one.payload.size();
  REQUIRE(table.chunks.size() == 1);
  CHECK(table.chunks[0] == TableChunk{static_cast<std::uint32_t>(1'000 + bytes.size() - payload), 5});
  CHECK(part_head_bytes(ByteSpan(bytes).first(8), static_cast<std::uint32_t>(bytes.size())).value() ==
        bytes.size() - payload);
}

TEST_CASE("a part that does not go on where the one before ended is refused", "[packager][movie]") {
  SampleTable table;
  REQUIRE(reads(part({sample(100, 10, 0, true, 5)}), table));
  REQUIRE(reads(part({sample(110, 10, 0, true, 5)}), table, 500));
  CHECK(table.end == 120);
  CHECK_FALSE(reads(part({sample(121, 10, 0, true, 5)}), table, 900));
}

TEST_CASE("a cut part, and any part with one byte of its head changed, is refused or read within its bounds",
          "[packager][movie]") {
  const auto good = part({sample(100, 10, 5, true, 6), sample(110, 11, -5, false, 7)});
  const auto head = part_head_bytes(good, static_cast<std::uint32_t>(good.size())).value();
  for (std::size_t size = 0; size < head; ++size) {
    SampleTable table;
    CAPTURE(size);
    CHECK_FALSE(
        read_part(ByteSpan(good).first(size), static_cast<std::uint32_t>(good.size()), 0, table).has_value());
  }
  for (std::size_t at = 0; at < head; ++at) {
    for (const int bit : {0, 3, 7}) {
      auto bad = good;
      bad[at] ^= static_cast<std::byte>(1 << bit);
      SampleTable table;
      if (!reads(bad, table)) continue;
      std::uint64_t payload = 0;
      for (const auto& one : table.samples) payload += one.size_bytes;
      CHECK(payload == 13);
      CHECK(table.chunks.at(0).samples == table.samples.size());
    }
  }
}

TEST_CASE("a count of samples that the bytes cannot hold is refused before memory is taken",
          "[packager][movie]") {
  // Equal samples, of which the boxes say nothing but the number.
  auto bytes = part({sample(0, 10, 0, false, 4), sample(10, 10, 0, false, 4)});
  const auto head = part_head_bytes(bytes, static_cast<std::uint32_t>(bytes.size())).value();
  // trun, the last box of moof: size, type, flags, count, data offset.
  const auto count = head - 8 - 8;
  REQUIRE(bytes[count + 3] == std::byte{2});
  bytes[count] = bytes[count + 1] = std::byte{0xFF};
  SampleTable table;
  CHECK_FALSE(reads(bytes, table));
  CHECK(table.samples.capacity() <= 2);
}
