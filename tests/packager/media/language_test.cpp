#include "packager/media/language.hpp"

#include <catch2/catch_test_macros.hpp>

#include "packager/media/track_format.hpp"

using namespace lookback;
using namespace lookback::packager;

TEST_CASE("languages get the shortest code of RFC 5646 and a name, from both codes of ISO 639-2",
          "[packager][language]") {
  // ISO 639-2: German is ger (B) and deu (T), de in ISO 639-1.
  for (const auto* code : {"ger", "deu"}) {
    const auto german = language_of(code);
    CHECK(german.terminological == "deu");
    CHECK(german.tag == "de");
    CHECK(german.name == "German");
  }
  CHECK(language_of("eng").tag == "en");
  CHECK(language_of("chi").terminological == "zho");
  CHECK(language_of("cmn").tag == "cmn");  // Mandarin has no two-letter code
  CHECK(language_of("cmn").name == "cmn");
  CHECK(language_of("").tag == "und");
  CHECK(language_of("und").name.empty());
}

TEST_CASE("a format is stored with its language, and one without is stored as before",
          "[packager][language]") {
  const std::vector<std::byte> stereo_48k{std::byte{0x11}, std::byte{0x90}};
  auto format = parse_aac_config(stereo_48k).value();
  CHECK(serialize(format) == std::vector<std::byte>{std::byte{2}, std::byte{0x11}, std::byte{0x90}});
  CHECK(deserialize_format(serialize(format)).value() == format);
  format.language = "deu";
  const auto bytes = serialize(format);
  CHECK(deserialize_format(bytes).value() == format);
  CHECK(deserialize_format(ByteSpan(bytes).first(3)).error() == Errc::truncated);
}
