#include "conf/units.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <random>

using namespace lookback;
using namespace lookback::conf;
using namespace std::chrono_literals;
using std::chrono::microseconds;

namespace {

microseconds duration(std::string_view text) {
  CAPTURE(text);
  const auto parsed = parse_duration(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

std::uint64_t bytes(std::string_view text) {
  CAPTURE(text);
  const auto parsed = parse_size(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

boost::system::error_code duration_error(std::string_view text) {
  const auto parsed = parse_duration(text);
  return parsed ? boost::system::error_code() : parsed.error();
}

boost::system::error_code size_error(std::string_view text) {
  const auto parsed = parse_size(text);
  return parsed ? boost::system::error_code() : parsed.error();
}

}  // namespace

TEST_CASE("a duration is a number with a unit, exact to the microsecond", "[conf][units]") {
  CHECK(duration("334ms") == 334ms);
  CHECK(duration("2s") == 2s);
  CHECK(duration("4h") == 4h);
  CHECK(duration("7d") == 168h);
  CHECK(duration("1us") == 1us);
  CHECK(duration("0s") == 0s);
  CHECK(duration("1.5s") == 1500ms);
  CHECK(duration("0.334s") == 334ms);
  CHECK(duration("1.000001s") == 1'000'001us);
  CHECK(duration("2.50000000000000000000000000m") == 150s);
}

TEST_CASE("a duration may combine units from large to small", "[conf][units]") {
  CHECK(duration("1h30m") == 90min);
  CHECK(duration("1d2h3m4s5ms6us") == 26h + 3min + 4s + 5ms + 6us);
  CHECK(duration_error("30m1h") == Errc::units_out_of_order);
  CHECK(duration_error("1s1s") == Errc::units_out_of_order);
}

TEST_CASE("a duration that does not say what it means is refused with the reason", "[conf][units]") {
  CHECK(duration_error("") == Errc::not_a_number);
  CHECK(duration_error("s") == Errc::not_a_number);
  CHECK(duration_error("-5s") == Errc::not_a_number);
  CHECK(duration_error(" 5s") == Errc::not_a_number);
  CHECK(duration_error("1.s") == Errc::not_a_number);
  CHECK(duration_error("10") == Errc::missing_unit);
  CHECK(duration_error("1h30") == Errc::missing_unit);
  CHECK(duration_error("10 s") == Errc::unknown_unit);
  CHECK(duration_error("10sec") == Errc::unknown_unit);
  CHECK(duration_error("10S") == Errc::unknown_unit);
  CHECK(duration_error("5s ") == Errc::not_a_number);
  CHECK(duration_error("0.5us") == Errc::too_fine);
  CHECK(duration_error("1.0000001s") == Errc::too_fine);
  CHECK(duration_error("0.00000000000000000001d") == Errc::too_fine);
}

TEST_CASE("a duration up to 2^63-1 microseconds fits and the next one does not", "[conf][units]") {
  CHECK(duration("9223372036854775807us").count() == 9'223'372'036'854'775'807);
  CHECK(duration_error("9223372036854775808us") == Errc::too_large);
  CHECK(duration("9223372036854s").count() == 9'223'372'036'854'000'000);
  CHECK(duration_error("9223372036855s") == Errc::too_large);
  CHECK(duration_error("9223372036854s775808us") == Errc::too_large);
  CHECK(duration_error("99999999999999999999999999999999h") == Errc::too_large);
  CHECK(duration_error("18446744073709551617us") == Errc::too_large);  // 2^64 + 1 must not wrap to 1
}

TEST_CASE("a size is a number with a binary or decimal unit", "[conf][units]") {
  CHECK(bytes("0B") == 0);
  CHECK(bytes("512B") == 512);
  CHECK(bytes("64KiB") == 65'536);
  CHECK(bytes("50MiB") == 52'428'800);
  CHECK(bytes("2GiB") == 2'147'483'648);
  CHECK(bytes("1TiB") == 1'099'511'627'776);
  CHECK(bytes("1.5GiB") == 1'610'612'736);
  CHECK(bytes("1.5TiB") == 1'649'267'441'664);
  CHECK(bytes("3kB") == 3'000);
  CHECK(bytes("5MB") == 5'000'000);
  CHECK(bytes("500GB") == 500'000'000'000);
  CHECK(bytes("2TB") == 2'000'000'000'000);
}

TEST_CASE("a size that does not say what it means is refused with the reason", "[conf][units]") {
  CHECK(size_error("") == Errc::not_a_number);
  CHECK(size_error("MiB") == Errc::not_a_number);
  CHECK(size_error("100") == Errc::missing_unit);
  CHECK(size_error("100M") == Errc::unknown_unit);
  CHECK(size_error("100mib") == Errc::unknown_unit);
  CHECK(size_error("1GiB2MiB") == Errc::unknown_unit);
  CHECK(size_error("0.3B") == Errc::too_fine);
  CHECK(size_error("0.1KiB") == Errc::too_fine);  // 102.4 bytes
}

TEST_CASE("a size up to 2^63-1 bytes fits and the next one does not", "[conf][units]") {
  CHECK(bytes("9223372036854775807B") == 9'223'372'036'854'775'807);
  CHECK(size_error("9223372036854775808B") == Errc::too_large);
  CHECK(bytes("8388607TiB") == 8'388'607ull << 40);
  CHECK(size_error("8388608TiB") == Errc::too_large);  // 2^23 * 2^40 = 2^63
}

TEST_CASE("a share is a number of percent or of parts per million", "[conf][units]") {
  const auto ppm = [](std::string_view text) { return parse_share(text).value(); };
  CHECK(ppm("1%") == 10'000);
  CHECK(ppm("0.5%") == 5'000);
  CHECK(ppm("100%") == 1'000'000);
  CHECK(ppm("100ppm") == 100);
  CHECK(ppm("0%") == 0);
  const auto error = [](std::string_view text) { return parse_share(text).error(); };
  CHECK(error("") == Errc::not_a_number);
  CHECK(error("%") == Errc::not_a_number);
  CHECK(error("5") == Errc::missing_unit);
  CHECK(error("5percent") == Errc::unknown_unit);
  CHECK(error("5%%") == Errc::unknown_unit);
  CHECK(error("5s") == Errc::unknown_unit);
  CHECK(error("0.00001%") == Errc::too_fine);  // a tenth of a part per million
  CHECK(error("99999999999999999999%") == Errc::too_large);
  CHECK(duration_error("5%") == Errc::unknown_unit);
  CHECK(size_error("5%") == Errc::unknown_unit);
  CHECK(format_share(10'000) == "1%");
  CHECK(format_share(5'000) == "5000ppm");
  CHECK(format_share(100) == "100ppm");
  CHECK(format_share(0) == "0%");
}

TEST_CASE("what is printed is read back as the same value", "[conf][units]") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2'000; ++i) {
    const auto value = static_cast<std::int64_t>(random() >> (1 + i % 63));
    CAPTURE(value);
    CHECK(duration(format_duration(microseconds(value))) == microseconds(value));
    CHECK(bytes(format_size(static_cast<std::uint64_t>(value))) == static_cast<std::uint64_t>(value));
    CHECK(parse_share(format_share(static_cast<std::uint64_t>(value))).value() ==
          static_cast<std::uint64_t>(value));
  }
}

TEST_CASE("printing takes the largest unit that divides the value", "[conf][units]") {
  CHECK(format_duration(334ms) == "334ms");
  CHECK(format_duration(4h) == "4h");
  CHECK(format_duration(90s) == "90s");
  CHECK(format_duration(60s) == "1m");
  CHECK(format_duration(48h) == "2d");
  CHECK(format_duration(0s) == "0s");
  CHECK(format_size(2ull << 30) == "2GiB");
  CHECK(format_size(1'536) == "1536B");
  CHECK(format_size(1'000'000) == "1000000B");  // binary units only
  CHECK(format_size(0) == "0B");
}
