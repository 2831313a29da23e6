#include "store/codec.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <random>

#include "store/base/errc.hpp"
#include "store/wire.hpp"

using namespace lookback;
using namespace lookback::store;

namespace {

/// Values of every magnitude, the extremes among them.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  template <class Integer>
  Integer any() {
    const auto choice = random_() % 8;
    if (choice == 0) return std::numeric_limits<Integer>::max();
    if (choice == 1) return std::numeric_limits<Integer>::min();
    return static_cast<Integer>(random_() >> (random_() % 64));
  }
  bool flag() { return random_() & 1; }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::string text(std::size_t limit) {
    std::string out(below(limit + 1), '\0');
    for (auto& c : out) c = static_cast<char>(random_());
    return out;
  }
  std::vector<std::byte> bytes(std::size_t limit) {
    const auto out = text(limit);
    const auto view = as_bytes(out);
    return {view.begin(), view.end()};
  }

 private:
  std::mt19937_64 random_;
};

SegmentRecord any_segment(Generator& make) {
  SegmentRecord record;
  record.msn = make.any<std::uint64_t>();
  record.start = make.any<std::int64_t>();
  record.pdt_us = make.any<std::int64_t>();
  record.duration = make.any<std::uint32_t>();
  record.init_id = make.any<std::uint32_t>();
  record.discontinuity_sequence = make.any<std::uint32_t>();
  record.discontinuity = make.flag();
  record.gap = make.flag();
  record.complete = make.flag();
  record.extent = make.any<std::uint64_t>();
  record.offset = make.any<std::uint64_t>();
  record.crc32c = make.any<std::uint32_t>();
  record.sync_bytes = make.any<std::uint32_t>();
  for (auto count = make.below(20); count > 0; --count) {
    PartRecord part{.duration = make.any<std::uint32_t>(),
                    .size_bytes = static_cast<std::uint32_t>(make.below(1 << 27)),
                    .crc32c = make.any<std::uint32_t>(),
                    .independent = make.flag()};
    record.size_bytes += part.size_bytes;  // a segment is as long as its parts
    record.parts.push_back(part);
  }
  for (auto count = make.flag() ? make.below(5) : 0; count > 0; --count) {
    record.date_ranges.push_back(
        {make.text(max_name_bytes), make.any<std::int64_t>(), make.any<std::int64_t>(), make.text(2'000)});
  }
  return record;
}

ExtentRecord any_extent(Generator& make) {
  ExtentRecord record;
  record.key = {make.any<std::uint64_t>(), static_cast<TrackId>(make.below(64)), make.any<std::uint64_t>()};
  record.timescale = make.any<std::uint32_t>();
  record.first_msn = make.any<std::uint64_t>();
  record.last_msn = make.any<std::uint64_t>();
  record.start_pdt_us = make.any<std::int64_t>();
  record.end_pdt_us = make.any<std::int64_t>();
  record.size_bytes = make.any<std::uint64_t>();
  record.synced_bytes = make.any<std::uint64_t>();
  record.sealed = make.flag();
  return record;
}

template <class Decode>
void check_every_truncation(const std::string& bytes, Decode decode) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of its own, so that a sanitizer sees a read past the end.
    const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto result = decode(as_bytes({cut.data(), cut.size()}));
    CAPTURE(size, bytes.size());
    REQUIRE(!result.has_value());
    CHECK(result.error() == Errc::damaged);
  }
  CHECK(!decode(as_bytes(bytes + '\0')).has_value());
}

}  // namespace

TEST_CASE("a segment record comes back as it was", "[store][codec]") {
  Generator make(1);
  for (int i = 0; i < 2000; ++i) {
    const auto record = any_segment(make);
    const auto back = decode_segment(as_bytes(encode(record)));
    REQUIRE(back.has_value());
    CHECK(*back == record);
  }
}

TEST_CASE("an extent record comes back as it was", "[store][codec]") {
  Generator make(2);
  for (int i = 0; i < 2000; ++i) {
    const auto record = any_extent(make);
    const auto back = decode_extent(as_bytes(encode(record)));
    REQUIRE(back.has_value());
    CHECK(*back == record);
  }
}

TEST_CASE("stream, track and init records come back as they were", "[store][codec]") {
  Generator make(3);
  for (int i = 0; i < 500; ++i) {
    const StreamRecord stream{make.any<std::uint64_t>(), make.text(max_name_bytes), make.text(4),
                              make.any<std::uint32_t>(), make.any<std::uint32_t>(), make.any<std::int64_t>()};
    const auto stream_back = decode_stream(as_bytes(encode(stream)));
    REQUIRE(stream_back.has_value());
    CHECK(stream_back->id == stream.id);
    CHECK(stream_back->name == stream.name);
    CHECK(stream_back->generation == stream.generation);
    CHECK(stream_back->target_duration_s == stream.target_duration_s);
    CHECK(stream_back->part_target_us == stream.part_target_us);
    CHECK(stream_back->epoch_us == stream.epoch_us);

    const TrackRecord track{static_cast<TrackId>(make.below(64)), make.text(8), make.any<std::uint32_t>()};
    const auto track_back = decode_track(as_bytes(encode(track)));
    REQUIRE(track_back.has_value());
    CHECK(track_back->id == track.id);
    CHECK(track_back->name == track.name);
    CHECK(track_back->timescale == track.timescale);

    const InitRecord init{static_cast<TrackId>(make.below(64)), make.any<std::uint32_t>(), make.bytes(900),
                          make.bytes(200)};
    const auto init_back = decode_init(as_bytes(encode(init)));
    REQUIRE(init_back.has_value());
    CHECK(init_back->track == init.track);
    CHECK(init_back->id == init.id);
    CHECK(init_back->bytes == init.bytes);
    CHECK(init_back->format == init.format);
  }
}

TEST_CASE("a record cut short anywhere, or followed by anything, is damaged", "[store][codec]") {
  Generator make(4);
  for (int i = 0; i < 50; ++i) {
    check_every_truncation(encode(any_segment(make)), decode_segment);
    check_every_truncation(encode(any_extent(make)), decode_extent);
    check_every_truncation(encode(StreamRecord{1, make.text(40), "ab12", 6, 334'000, -5}), decode_stream);
    check_every_truncation(encode(TrackRecord{3, make.text(9), 48'000}), decode_track);
    check_every_truncation(encode(InitRecord{3, 2, make.bytes(60), make.bytes(20)}), decode_init);
  }
}

TEST_CASE("a record of another version is damaged", "[store][codec]") {
  auto bytes = encode(TrackRecord{0, "v0", 90'000});
  bytes[0] = 2;
  CHECK(decode_track(as_bytes(bytes)).error() == Errc::damaged);
}

TEST_CASE("a count of parts that the bytes cannot hold is refused before anything is allocated",
          "[store][codec]") {
  // Version 1, flags, msn, start, pdt, duration, init, discontinuity sequence, extent, offset, checksum,
  // count.
  auto bytes = Encoder().u8(1).u8(0).raw(std::string(8, '\0')).u32(0).varint(UINT32_MAX).take();
  bytes += std::string(100, '\0');
  CHECK(decode_segment(as_bytes(bytes)).error() == Errc::damaged);
}

TEST_CASE("parts that sum up to more than a segment can have are refused", "[store][codec]") {
  SegmentRecord record;
  record.parts = {{.duration = 1, .size_bytes = UINT32_MAX, .crc32c = 0},
                  {.duration = 1, .size_bytes = 1, .crc32c = 0}};
  CHECK(decode_segment(as_bytes(encode(record))).error() == Errc::damaged);
}

TEST_CASE("a variable-length integer of more than 64 bits is refused", "[store][codec]") {
  const std::string largest = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  Decoder fits(as_bytes(largest));
  CHECK(fits.varint() == UINT64_MAX);
  CHECK(fits.done());
  const std::string larger = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
  Decoder overflows(as_bytes(larger));
  CHECK(overflows.varint() == 0);
  CHECK(!overflows.ok());
}

TEST_CASE("a recording's record comes back as it was", "[store][codec]") {
  Generator make(7);
  for (int i = 0; i < 500; ++i) {
    RecordingRecord record;
    for (int n = 0; n < 12; ++n) record.id += "abcdefghijklmnopqrstuvwxyz0123456789"[make.below(36)];
    record.stream = make.any<std::uint64_t>();
    record.name = make.text(1024);
    record.created_us = make.any<std::int64_t>();
    record.start_us = make.any<std::int64_t>();
    record.end_us = make.any<std::int64_t>();
    record.first_msn = make.any<std::uint64_t>();
    record.end_msn = make.any<std::uint64_t>();
    record.ended = make.flag();
    record.locked = make.flag();
    record.by_policy = make.flag();
    record.keep_until_us = make.any<std::int64_t>();
    record.reason = make.text(30);
    const auto bytes = encode(record);
    const auto back = decode_recording(as_bytes(bytes));
    REQUIRE(back.has_value());
    CHECK(*back == record);
    if (i < 20) check_every_truncation(bytes, decode_recording);
  }
}

TEST_CASE("a segment record of version 1 is read: nothing is known of its sync sample", "[store][codec]") {
  // Flags complete; msn 7, start 5, pdt -1, duration 9, init 1, discontinuity sequence 0, extent 3, offset
  // 64; one part of 9 ticks, independent, with 20 bytes.
  const auto bytes = Encoder()
                         .u8(1)
                         .u8(4)
                         .varint(7)
                         .zigzag(5)
                         .zigzag(-1)
                         .varint(9)
                         .varint(1)
                         .varint(0)
                         .varint(3)
                         .varint(64)
                         .u32(77)
                         .varint(1)
                         .varint(9 << 1 | 1)
                         .varint(20)
                         .u32(77)
                         .take();
  SegmentRecord expected;
  expected.msn = 7;
  expected.start = 5;
  expected.pdt_us = -1;
  expected.duration = 9;
  expected.init_id = 1;
  expected.complete = true;
  expected.extent = 3;
  expected.offset = 64;
  expected.size_bytes = 20;
  expected.crc32c = 77;
  expected.parts = {{.duration = 9, .size_bytes = 20, .crc32c = 77, .independent = true}};
  CHECK(decode_segment(as_bytes(bytes)).value() == expected);
  CHECK(decode_segment(as_bytes(std::string("\x03") + bytes.substr(1))).error() == Errc::damaged);
}

TEST_CASE("a stream record of version 1 is read, without floors and overrides", "[store][codec]") {
  const auto bytes =
      Encoder().u8(1).varint(3).sized("live/a").sized("ab12").varint(6).varint(334'000).zigzag(-5).take();
  const StreamRecord expected{3, "live/a", "ab12", 6, 334'000, -5};
  CHECK(decode_stream(as_bytes(bytes)).value() == expected);
}
