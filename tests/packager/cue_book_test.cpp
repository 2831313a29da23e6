#include "packager/cue_book.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback;
using namespace lookback::packager;

namespace {

using Kind = SourceCue::Kind;

constexpr std::int64_t second = 1'000'000;
/// 2026-09-21T14:13:20Z: 1,790,000,000 s after 1970.
constexpr std::int64_t noon = 1'790'000'000 * second;

SourceCue cue(Kind kind, const std::string& event, std::optional<std::int64_t> duration_us = {}) {
  return {kind, event, 0, duration_us, "FC30"};
}

CueBook::Time at(std::int64_t date_us) { return {date_us, date_us - noon}; }

}  // namespace

TEST_CASE("the two ends of a break are two tags with one id and one start", "[packager][cue]") {
  CueBook book;
  const auto out = book.enter(cue(Kind::out, "splice-7", 30'500'000), at(noon));
  REQUIRE(out.has_value());
  CHECK(out->attributes ==
        "ID=\"splice-7-1790000000000\",START-DATE=\"2026-09-21T14:13:20.000Z\",PLANNED-DURATION=30.5,"
        "SCTE35-OUT=0xFC30");
  CHECK(out->start_us == noon);
  CHECK(out->end_us == noon + 30'500'000);

  const auto in = book.enter(cue(Kind::in, "splice-7"), at(noon + 29 * second));
  REQUIRE(in.has_value());
  CHECK(in->id == out->id);
  CHECK(
      in->attributes ==
      "ID=\"splice-7-1790000000000\",START-DATE=\"2026-09-21T14:13:20.000Z\",DURATION=29.0,SCTE35-IN=0xFC30");
  CHECK(in->end_us == noon + 29 * second);
}

TEST_CASE("a cue that is sent again is told once, and an event that is used again has an id of its own",
          "[packager][cue]") {
  CueBook book;
  const auto first = book.enter(cue(Kind::out, "splice-7"), at(noon));
  CHECK(first->end_us == store::DateRangeRecord::open);
  CHECK_FALSE(
      book.enter(cue(Kind::out, "splice-7"), at(noon + 4'000)).has_value());  // the clock was corrected
  REQUIRE(book.enter(cue(Kind::in, "splice-7"), at(noon + 60 * second)).has_value());
  CHECK_FALSE(book.enter(cue(Kind::in, "splice-7"), at(noon + 60 * second)).has_value());
  const auto again = book.enter(cue(Kind::out, "splice-7"), at(noon + 3'600 * second));
  REQUIRE(again.has_value());
  CHECK(again->id != first->id);
}

TEST_CASE("a break lasts as long as its media, though the program's clock is corrected", "[packager][cue]") {
  CueBook book;
  REQUIRE(book.enter(cue(Kind::out, "splice-7"), {noon, 0}).has_value());
  const auto in = book.enter(cue(Kind::in, "splice-7"), {noon + 60 * second + 30'000, 60 * second});
  REQUIRE(in.has_value());
  CHECK(in->attributes.find(",DURATION=60.0,") != std::string::npos);
  CHECK(in->end_us == noon + 60 * second);
}

TEST_CASE("an end whose beginning is not known is a command", "[packager][cue]") {
  CueBook book;
  const auto in = book.enter(cue(Kind::in, "splice-9"), at(noon));
  REQUIRE(in.has_value());
  CHECK(in->attributes ==
        "ID=\"splice-9-1790000000000\",START-DATE=\"2026-09-21T14:13:20.000Z\",SCTE35-CMD=0xFC30");
  CHECK(in->end_us == noon);
}

TEST_CASE("a break that is cancelled lasts no time at all", "[packager][cue]") {
  CueBook book;
  CHECK_FALSE(book.enter(cue(Kind::cancel, "splice-3"), at(noon)).has_value());
  REQUIRE(book.enter(cue(Kind::out, "splice-3", 30 * second), at(noon)).has_value());
  const auto gone = book.enter(cue(Kind::cancel, "splice-3"), at(noon - 2 * second));
  REQUIRE(gone.has_value());
  CHECK(
      gone->attributes ==
      "ID=\"splice-3-1790000000000\",START-DATE=\"2026-09-21T14:13:20.000Z\",DURATION=0.0,SCTE35-CMD=0xFC30");
  CHECK_FALSE(book.enter(cue(Kind::cancel, "splice-3"), at(noon)).has_value());
}

TEST_CASE("a segmentation event that is cancelled takes all its breaks along, and no other's",
          "[packager][cue]") {
  CueBook book;
  // A provider's advertisement (0x30) inside of a break (0x22) of event 5, and a break of event 51.
  for (const auto* event : {"segmentation-5-22", "segmentation-5-30", "segmentation-51-30"})
    REQUIRE(book.enter(cue(Kind::out, event, 60 * second), at(noon)).has_value());
  const auto cancel = cue(Kind::cancel, "segmentation-5");
  const auto first = book.enter(cancel, at(noon - second)),
             second_one = book.enter(cancel, at(noon - second));
  REQUIRE(first.has_value());
  REQUIRE(second_one.has_value());
  CHECK(first->id.starts_with("segmentation-5-30-"));
  CHECK(second_one->id.starts_with("segmentation-5-22-"));
  for (const auto* gone : {&*first, &*second_one}) CHECK(gone->end_us == noon);
  CHECK_FALSE(book.enter(cancel, at(noon - second)).has_value());
}

TEST_CASE("a break that goes on over a restart keeps its id", "[packager][cue]") {
  CueBook before;
  const auto out = before.enter(cue(Kind::out, "segmentation-4-34"), at(noon));
  CueBook after;
  after.restore(*out);
  const auto in = after.enter(cue(Kind::in, "segmentation-4-34"), at(noon + 10 * second));
  REQUIRE(in.has_value());
  CHECK(in->id == out->id);
  CHECK(in->attributes.ends_with(",DURATION=10.0,SCTE35-IN=0xFC30"));
  CueBook later;
  later.restore(*out);
  later.restore(*in);
  CHECK_FALSE(later.enter(cue(Kind::in, "segmentation-4-34"), at(noon + 10 * second)).has_value());
}
