#include "packager/hls/text.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback::packager::hls;

namespace {

template <class Append, class... Args>
std::string written(Append append, Args... args) {
  std::string out;
  append(out, args...);
  return out;
}

}  // namespace

TEST_CASE("ticks become the nearest microsecond, also for times before zero and after centuries",
          "[packager][hls][text]") {
  CHECK(to_us(90'000, 90'000) == 1'000'000);
  CHECK(to_us(1, 90'000) == 11);                  // 11.1
  CHECK(to_us(1, 48'000) == 21);                  // 20.8
  CHECK(to_us(-1, 90'000) == -11);                // -11.1
  CHECK(to_us(3003, 90'000) == 33'367);           // 33,366.7
  const std::int64_t centuries = 10'000'000'000;  // seconds
  CHECK(to_us(centuries * 90'000 + 9, 90'000) == centuries * 1'000'000 + 100);
}

TEST_CASE("durations have six decimals, other seconds as few as they need", "[packager][hls][text]") {
  CHECK(written(append_duration, 2'002'000) == "2.002000");
  CHECK(written(append_duration, 7) == "0.000007");
  CHECK(written(append_seconds, 1'002'000) == "1.002");
  CHECK(written(append_seconds, 12'000'000) == "12.0");
  CHECK(written(append_seconds, 0) == "0.0");
}

TEST_CASE("dates are ISO 8601 in UTC with milliseconds (rule 50)", "[packager][hls][text]") {
  // date -u -d @N +%FT%TZ
  CHECK(written(append_date_time, 0) == "1970-01-01T00:00:00.000Z");
  CHECK(written(append_date_time, 951'782'400'000'000) == "2000-02-29T00:00:00.000Z");
  CHECK(written(append_date_time, 1'790'000'000'123'456) == "2026-09-21T14:13:20.123Z");
  CHECK(written(append_date_time, 1'767'225'599'999'499) == "2025-12-31T23:59:59.999Z");
  CHECK(written(append_date_time, 1'767'225'599'999'500) == "2026-01-01T00:00:00.000Z");
}

TEST_CASE("a query goes to every URI and to nothing else (rule 21)", "[packager][hls][text]") {
  const auto* plain =
      "#EXTM3U\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXT-X-PART:DURATION=1.0,URI=\"p.m4s\",INDEPENDENT=YES\n"
      "#EXTINF:2.0,\ns.m4s\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"Audio\"\n";
  const auto* with =
      "#EXTM3U\n#EXT-X-MAP:URI=\"i.mp4?token=x&a=b\"\n"
      "#EXT-X-PART:DURATION=1.0,URI=\"p.m4s?token=x&a=b\",INDEPENDENT=YES\n"
      "#EXTINF:2.0,\ns.m4s?token=x&a=b\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"Audio\"\n";
  CHECK(with_query(plain, "token=x&a=b") == with);
}

TEST_CASE("a fingerprint is FNV-1a", "[packager][hls][text]") {
  CHECK(fingerprint("") == "cbf29ce484222325");   // the offset basis
  CHECK(fingerprint("a") == "af63dc4c8601ec8c");  // test vector of the FNV draft
}
