#include "server/ingest/rtmp/amf0.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "server/errc.hpp"
#include "tests/server/ingest/rtmp/wire.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::server::rtmp;
namespace wire = lookback::support::wire;

namespace {

constexpr amf0::Limits limits{.depth = 16, .properties = 1'000};

auto decode(const std::string& bytes) { return amf0::decode(as_bytes(bytes), limits); }

std::string encoded(const amf0::Value& value) {
  std::vector<std::byte> out;
  amf0::encode(value, out);
  return std::string(as_text(out));
}

std::string nested_objects(std::size_t depth) {
  std::string bytes;
  for (std::size_t i = 0; i < depth; ++i) bytes += "\3" + wire::be(1, 2) + "a";
  bytes += wire::amf_null();
  for (std::size_t i = 0; i < depth; ++i) bytes += wire::amf_object_end();
  return bytes;
}

std::string nested_arrays(std::size_t depth) {
  std::string bytes;
  for (std::size_t i = 0; i < depth; ++i) bytes += "\xa" + wire::be(1, 4);
  return bytes + wire::amf_null();
}

}  // namespace

TEST_CASE("every AMF0 type that encoders send is read", "[rtmp][amf0]") {
  // 2^-1 is 0x3fe0000000000000 in IEEE 754.
  const auto bytes = std::string("\0\x3f\xe0\0\0\0\0\0\0", 9) + std::string("\1\1", 2) +
                     std::string("\2\0\2hi", 5) + std::string("\5\6", 2) + std::string("\xc\0\0\0\3abc", 8) +
                     std::string("\xb\0\0\0\0\0\0\0\0\0\0", 11) + std::string("\xa\0\0\0\2\1\0\5", 8) +
                     std::string("\3\0\1k\2\0\1v\0\0\x9", 11) +
                     std::string("\x8\0\0\0\x63\0\1n\5\0\0\x9", 12);
  const auto read = decode(bytes);
  REQUIRE(read.has_value());
  const auto& values = *read;
  REQUIRE(values.size() == 10);
  CHECK(*values[0].number() == 0.5);
  CHECK(std::get<bool>(values[1].data));
  CHECK(*values[2].string() == "hi");
  CHECK(std::holds_alternative<amf0::Null>(values[3].data));
  CHECK(std::holds_alternative<amf0::Undefined>(values[4].data));
  CHECK(*values[5].string() == "abc");
  CHECK(std::get<amf0::Date>(values[6].data).ms_since_epoch == 0);
  CHECK(std::get<amf0::StrictArray>(values[7].data).items.size() == 2);
  CHECK(*values[8].find("k")->string() == "v");
  CHECK(std::holds_alternative<amf0::Null>(values[9].find("n")->data));  // its count, 99, is only a hint
  CHECK(values[8].find("x") == nullptr);
  CHECK(values[2].find("k") == nullptr);
}

TEST_CASE("AMF0 types without a use are refused", "[rtmp][amf0]") {
  // movie clip, reference, object end outside of an object, unsupported, record set, XML, typed object, AMF3,
  // none.
  const auto marker = GENERATE(4, 7, 9, 13, 14, 15, 16, 17, 18, 255);
  CAPTURE(marker);
  const auto read = decode(std::string(1, static_cast<char>(marker)) + std::string(64, '\0'));
  REQUIRE(read.has_error());
  CHECK(read.error() == Errc::bad_amf);
}

TEST_CASE("an AMF0 message cut at any byte is refused or read in part, never past its end", "[rtmp][amf0]") {
  const auto whole = wire::amf_string("connect") + wire::amf_number(1) +
                     wire::amf_object(wire::amf_property("app", wire::amf_string("live")) +
                                      wire::amf_property("flag", wire::amf_boolean(true))) +
                     std::string("\xa\0\0\0\2\1\0\5", 8) + "\xc" + wire::be(3, 4) + "abc";
  const auto ends = {std::size_t{0}, std::size_t{10}, std::size_t{19}, whole.size() - 16, whole.size() - 8};
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    const std::vector<std::byte> exact(as_bytes(cut).begin(),
                                       as_bytes(cut).end());  // a heap block that ASan guards
    const bool at_value = std::find(ends.begin(), ends.end(), size) != ends.end();
    CAPTURE(size);
    CHECK(amf0::decode(exact, limits).has_value() == at_value);
  }
}

TEST_CASE("nesting beyond the limit is refused, whatever its length", "[rtmp][amf0]") {
  CHECK(decode(nested_objects(16)).has_value());
  CHECK(decode(nested_arrays(16)).has_value());
  for (const auto depth : {17, 200'000}) {
    CHECK(decode(nested_objects(depth)).error() == Errc::amf_too_deep);
    CHECK(decode(nested_arrays(depth)).error() == Errc::amf_too_deep);
  }
}

TEST_CASE("the number of properties, items and values is bounded", "[rtmp][amf0]") {
  std::string properties;
  for (int i = 0; i < 1'000; ++i) properties += wire::amf_property("p" + std::to_string(i), wire::amf_null());
  CHECK(decode(wire::amf_object(properties)).has_value());
  properties += wire::amf_property("one more", wire::amf_null());
  CHECK(decode(wire::amf_object(properties)).error() == Errc::amf_too_deep);
  CHECK(decode(std::string(1'001, '\5')).error() == Errc::amf_too_deep);
  CHECK(decode("\xa" + wire::be(1'001, 4) + std::string(1'001, '\5')).error() == Errc::amf_too_deep);
}

TEST_CASE("lengths that the message cannot hold are refused without allocation", "[rtmp][amf0]") {
  CHECK(decode("\xa" + wire::be(0xffffffff, 4) + "\5").error() == Errc::bad_amf);
  CHECK(decode("\xc" + wire::be(0xffffffff, 4) + "abc").error() == Errc::bad_amf);
  CHECK(decode("\2" + wire::be(0xffff, 2) + "abc").error() == Errc::bad_amf);
  CHECK(decode("\3" + wire::be(0xffff, 2) + "abc").error() == Errc::bad_amf);
}

TEST_CASE("answers are encoded as the specification lays them out", "[rtmp][amf0]") {
  CHECK(encoded({0.5}) == wire::amf_number(0.5));
  CHECK(encoded({true}) == std::string("\1\1", 2));
  CHECK(encoded({std::string("hi")}) == std::string("\2\0\2hi", 5));
  CHECK(encoded({amf0::Null{}}) == "\5");
  CHECK(encoded({amf0::Undefined{}}) == "\6");
  CHECK(encoded({amf0::Object{{{"k", {std::string("v")}}}}}) == std::string("\3\0\1k\2\0\1v\0\0\x9", 11));
  CHECK(encoded({amf0::EcmaArray{{{"k", {false}}}}}) == std::string("\x8\0\0\0\1\0\1k\1\0\0\0\x9", 13));
  CHECK(encoded({amf0::StrictArray{{{1.0}}}}) == "\xa" + wire::be(1, 4) + wire::amf_number(1));
  CHECK(encoded({amf0::Date{0}}) == "\xb" + std::string(10, '\0'));
  const std::string text(65'536, 'x');
  CHECK(encoded({text}) == "\xc" + wire::be(65'536, 4) + text);
  CHECK(encoded({text.substr(1)}) == "\2" + wire::be(65'535, 2) + text.substr(1));
}

TEST_CASE("numbers keep their bits, not-a-number included", "[rtmp][amf0]") {
  const auto read =
      decode(wire::amf_number(std::numeric_limits<double>::quiet_NaN()) + wire::amf_number(-0.0));
  REQUIRE(read.has_value());
  CHECK(std::isnan(*(*read)[0].number()));
  CHECK(std::signbit(*(*read)[1].number()));
}
