#include "packager/mp4/fragment.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/packager/mp4/box_walker.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

Slice payload_of(std::size_t size, std::byte fill) { return make_slice(std::vector<std::byte>(size, fill)); }

/// Reads back what was written, and compares it with what went in.
void check_round_trip(std::uint32_t sequence, const std::vector<Sample>& samples) {
  const auto chain = make_fragment(sequence, samples);
  REQUIRE(chain.size() == samples.size() + 1);
  const auto bytes = flatten(chain);
  const auto fragment = test::walk_fragment(bytes);
  CHECK(fragment.sequence == sequence);
  CHECK(fragment.track == 1);
  CHECK(fragment.header_bytes == chain.front().size());
  REQUIRE(fragment.samples.size() == samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& in = samples[i];
    const auto& out = fragment.samples[i];
    CAPTURE(i);
    REQUIRE(out.dts == static_cast<std::uint64_t>(in.dts));
    REQUIRE(out.duration == in.duration);
    REQUIRE(out.composition == in.composition);
    REQUIRE(out.flags == (in.sync ? 0x02000000U : 0x01010000U));
    REQUIRE(
        std::equal(out.payload.begin(), out.payload.end(), in.payload.bytes.begin(), in.payload.bytes.end()));
    REQUIRE(chain[i + 1].bytes.data() == in.payload.bytes.data());  // the same bytes, not a copy
  }
  CHECK(fragment.end_dts == static_cast<std::uint64_t>(samples.back().end()));
}

/// `count` samples of one duration, size, kind.
std::vector<Sample> even(std::size_t count, Ticks dts, Ticks duration, bool sync) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    samples.push_back({.dts = dts + static_cast<Ticks>(i) * duration,
                       .duration = duration,
                       .sync = sync,
                       .payload = payload_of(100 + i, std::byte(i))});
  }
  return samples;
}

std::size_t header_bytes(const std::vector<Sample>& samples) {
  return make_fragment(1, samples).front().size();
}

}  // namespace

TEST_CASE("any samples are read back as they were written", "[packager][fragment]") {
  std::mt19937_64 random(33);
  const auto chance = [&](int percent) { return static_cast<int>(random() % 100) < percent; };
  for (int round = 0; round < 2'000; ++round) {
    CAPTURE(round);
    const bool same_duration = chance(50), same_size = chance(30), offsets = chance(50),
               later_syncs = chance(30);
    const bool first_sync = chance(50);
    std::vector<Sample> samples(random() % 40 + 1);
    auto dts = static_cast<Ticks>(random() >> (random() % 60 + 2));
    for (std::size_t i = 0; i < samples.size(); ++i) {
      auto& sample = samples[i];
      sample.dts = dts;
      sample.duration = same_duration ? 3003 : static_cast<Ticks>((random() & 0xFFFF'FFFF) >> random() % 32);
      if (sample.duration == 0) sample.duration = 0xFFFF'FFFF;
      sample.composition = offsets ? static_cast<std::int32_t>(random()) : 0;
      sample.sync = i == 0 ? first_sync : later_syncs && chance(50);
      sample.payload = payload_of(same_size ? 7 : random() % 300, static_cast<std::byte>(random()));
      dts += sample.duration;
    }
    check_round_trip(static_cast<std::uint32_t>(random()), samples);
  }
}

TEST_CASE("decode times above 32 bits, and the largest of all, are written whole", "[packager][fragment]") {
  check_round_trip(1, even(8, Ticks{1} << 32, 3'750, false));
  check_round_trip(1, even(8, (Ticks{1} << 33) + 12'345, 3'750, false));
  check_round_trip(0xFFFF'FFFF, even(1, std::numeric_limits<Ticks>::max() - 1, 1, true));
}

TEST_CASE("composition offsets at both ends of their range are written signed", "[packager][fragment]") {
  auto samples = even(4, 0, 3'000, false);
  samples[0].composition = std::numeric_limits<std::int32_t>::min();
  samples[1].composition = std::numeric_limits<std::int32_t>::max();
  samples[2].composition = -1;
  check_round_trip(1, samples);
}

TEST_CASE("what all samples share is written once", "[packager][fragment]") {
  // moof 8 + mfhd 16 + traf 8 + tfhd 16 + tfdt 20 + trun 20, mdat 8 = 96; a default is 4 bytes, so is each
  // sample's own field
  auto audio = even(16, 0, 1'024, true);
  CHECK(header_bytes(audio) == 96 + 2 * 4 + 16 * 4);  // default duration and flags, sizes
  auto video = even(8, 0, 3'750, false);
  video[0].sync = true;
  CHECK(header_bytes(video) == 96 + 2 * 4 + 4 + 8 * 4);  // and first_sample_flags
  video[3].composition = 3'750;
  CHECK(header_bytes(video) == 96 + 2 * 4 + 4 + 8 * 2 * 4);  // composition offsets
  video[5].duration = 3'751;
  CHECK(header_bytes(video) == 96 + 1 * 4 + 4 + 8 * 3 * 4);  // durations
  video[4].sync = true;
  CHECK(header_bytes(video) == 96 + 8 * 4 * 4);                // flags
  CHECK(header_bytes(even(1, 0, 3'750, true)) == 96 + 3 * 4);  // one sample: all is default
}

TEST_CASE("parts follow each other byte for byte in their segment", "[packager][fragment]") {
  const auto samples = even(24, 90'000, 3'750, false);
  std::vector<std::byte> segment;
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < 24; i += 8) {
    starts.push_back(segment.size());
    const auto part =
        flatten(make_fragment(static_cast<std::uint32_t>(i / 8), std::span(samples).subspan(i, 8)));
    segment.insert(segment.end(), part.begin(), part.end());
  }
  const auto top = test::boxes(segment);
  REQUIRE(top.size() == 6);
  std::uint64_t next = 90'000;
  for (std::size_t part = 0; part < 3; ++part) {
    CHECK(top[part * 2].offset == starts[part]);
    const auto end = part == 2 ? segment.size() : starts[part + 1];
    const auto walked = test::walk_fragment(ByteSpan(segment).subspan(starts[part], end - starts[part]));
    CHECK(walked.samples.front().dts == next);
    next = walked.end_dts;
  }
  CHECK(next == 90'000 + 24 * 3'750);
}
