#include "server/api/json.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "server/api/query.hpp"

using namespace lookback::server::api;

namespace {

Problem refusal(const std::string& text) {
  const auto parsed = parse_object(text);
  if (parsed) return {200, "taken", {}};
  return parsed.error();
}

std::string repeated(const std::string& text, int count) {
  std::string out;
  while (count-- > 0) out += text;
  return out;
}

}  // namespace

TEST_CASE("robustness 75: what is not one bounded JSON object is 400", "[api][json]") {
  const std::string texts[] = {
      "",
      "{",
      "{}{}",
      "{} x",
      "[]",
      "1",
      "null",
      "\"text\"",
      "{\"a\":1,}",
      "{'a':1}",
      "{\"a\":01}",
      "{\"a\":NaN}",
      "{\"a\":1e}",
      "{\"a\":\"\\ud800\"}",                                    // a lone surrogate
      "{\"a\":\"\xff\xfe\"}",                                   // not UTF-8
      "{\"a\":\"\x01\"}",                                       // a control character
      "// c\n{}",                                               // comments are not JSON
      "{\"a\":" + repeated("[", 16) + repeated("]", 16) + "}",  // 17 levels
      "{\"a\":" + repeated("{\"a\":", 100'000) + "1" + repeated("}", 100'000) + "}",
  };
  for (const auto& text : texts) {
    CAPTURE(text.substr(0, 80));
    CHECK(refusal(text).status == 400);
  }
  CHECK(parse_object("{\"a\":" + repeated("[", 15) + repeated("]", 15) + "}").has_value());  // 16
  CHECK(parse_object(" {\"a\": \"\\u00e4\"} ").has_value());
}

TEST_CASE("a key that stands twice is 400 with its pointer", "[api][json]") {
  const std::pair<const char*, const char*> texts[] = {
      {R"({"a":1,"a":2})", "/a"},
      {R"({"a":{"b":1,"c":2,"b":3}})", "/a/b"},
      {R"({"a":[0,{"x":1},{"x":1,"x":1}]})", "/a/2/x"},
      {R"({"a/b":1,"a\/b":2})", "/a~1b"},  // RFC 6901 3
      {R"({"~":1,"\u007e":2})", "/~0"},
  };
  for (const auto& [text, pointer] : texts) {
    CAPTURE(text);
    const auto problem = refusal(text);
    CHECK(problem.status == 400);
    REQUIRE(problem.errors.size() == 1);
    CHECK(problem.errors.front().pointer == pointer);
  }
  CHECK(parse_object(R"({"a":{"x":1},"b":{"x":1}})").has_value());
}

TEST_CASE("each wrong field is told with its pointer, and all at once", "[api][json]") {
  const auto body = parse_object(R"({"name":5,"locked":"yes","length":1e400,"stray":1,"when":"noon"})");
  REQUIRE(body.has_value());
  std::vector<FieldError> errors;
  Fields fields(*body, "/x", errors);
  CHECK_FALSE(fields.text("name", 1, 10).has_value());
  CHECK_FALSE(fields.flag("locked").has_value());
  CHECK_FALSE(fields.seconds("length", 1, 60).has_value());
  CHECK_FALSE(fields.time("when", 0).has_value());
  CHECK_FALSE(fields.text("absent", 1, 10).has_value());
  fields.finish();
  std::vector<std::string> pointers;
  for (const auto& error : errors) pointers.push_back(error.pointer);
  CHECK(pointers == std::vector<std::string>{"/x/name", "/x/locked", "/x/length", "/x/when", "/x/stray"});
  CHECK(wrong_fields(errors).status == 422);
}

TEST_CASE("durations are seconds within their limits, also fractions", "[api][json]") {
  const auto body =
      parse_object(R"({"a":1,"b":1.5,"c":60,"d":0.999,"e":60.001,"f":-1,"g":18446744073709551616,"h":null})");
  REQUIRE(body.has_value());
  std::vector<FieldError> errors;
  Fields fields(*body, "", errors);
  CHECK(fields.seconds("a", 1, 60) == 1'000'000);
  CHECK(fields.seconds("b", 1, 60) == 1'500'000);
  CHECK(fields.seconds("c", 1, 60) == 60'000'000);
  CHECK(errors.empty());
  for (const auto* name : {"d", "e", "f", "g", "h"}) {
    CAPTURE(name);
    CHECK_FALSE(fields.seconds(name, 1, 60).has_value());
  }
  CHECK(errors.size() == 5);
  CHECK(errors.front().detail == "must be a number of seconds from 1 to 60");
  CHECK(fields.is_null("h"));
}

TEST_CASE("times are RFC 3339, Unix seconds or milliseconds, or relative to now", "[api][json]") {
  // date -u -d @1790000000 +%FT%TZ -> 2026-09-21T14:13:20Z
  const auto body = parse_object(
      R"({"a":"2026-09-21T14:13:20Z","b":1790000000,"c":1790000000000,"d":"now-90s","e":1790000000.5,"f":"1790000000"})");
  REQUIRE(body.has_value());
  std::vector<FieldError> errors;
  Fields fields(*body, "", errors);
  const std::int64_t second = 1'000'000, moment = 1'790'000'000 * second;
  CHECK(fields.time("a", 0) == moment);
  CHECK(fields.time("b", 0) == moment);
  CHECK(fields.time("c", 0) == moment);
  CHECK(fields.time("d", moment) == moment - 90 * second);
  CHECK(fields.time("e", 0) == moment + second / 2);
  CHECK(fields.time("f", 0) == moment);
  CHECK(errors.empty());
}

TEST_CASE("robustness 76: a page is 1 to 500 long, and starts at a number that fits", "[api][query]") {
  for (const auto* text :
       {"limit=0", "limit=-1", "limit=501", "limit=9223372036854775808", "limit=", "limit=1.5", "limit=0x10",
        "offset=-1", "offset=18446744073709551616", "limit=1&limit=2"}) {
    CAPTURE(text);
    auto query = Query::parse(text);
    const auto page = query ? take_page(*query) : Outcome<Page>(query.error());
    REQUIRE(page.has_error());
    CHECK(page.error().status == 400);
    CHECK(page.error().errors.size() == 1);
  }
  auto query = Query::parse("limit=500&offset=1000");
  REQUIRE(query.has_value());
  const auto page = take_page(*query);
  REQUIRE(page.has_value());
  CHECK(page->limit == 500);
  CHECK(page->offset == 1000);
  auto empty = Query::parse("");
  REQUIRE(empty.has_value());
  CHECK(take_page(*empty)->limit == 100);
}

TEST_CASE("a parameter that is not known is 400", "[api][query]") {
  auto query = Query::parse("limit=5&colour=red");
  REQUIRE(query.has_value());
  REQUIRE(take_page(*query).has_value());
  const auto finished = query->finish();
  REQUIRE(finished.has_error());
  CHECK(finished.error().errors.front().pointer == "?colour");
}

TEST_CASE("fractions are written as decimals", "[api][json]") {
  const json::value value{
      {"a", 12.5}, {"b", 2}, {"c", {1.25, nullptr, "x\"\n"}}, {"d", json::object{}}, {"e", json::array{}}};
  CHECK(to_text(value) == R"({"a":12.5,"b":2,"c":[1.25,null,"x\"\n"],"d":{},"e":[]})");
}
