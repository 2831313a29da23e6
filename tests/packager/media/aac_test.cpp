#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <initializer_list>
#include <string>

#include "packager/media/track_format.hpp"
#include "tests/packager/media/bit_writer.hpp"

using namespace lookback;
using namespace lookback::packager;
using test::BitWriter;

namespace {

std::vector<std::byte> hex(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

struct Expected {
  std::string codecs;
  std::uint32_t timescale, sample_rate, channels, samples_per_frame = 1024;
};

void check(const std::vector<std::byte>& config, const Expected& expected) {
  const auto format = parse_aac_config(config);
  REQUIRE(format.has_value());
  CHECK(format->kind == MediaKind::audio);
  CHECK(format->codec == Codec::aac);
  CHECK(format->config == config);
  CHECK(format->codecs == expected.codecs);
  CHECK(format->timescale == expected.timescale);
  CHECK(format->sample_rate == expected.sample_rate);
  CHECK(format->channels == expected.channels);
  CHECK(format->samples_per_frame == expected.samples_per_frame);
}

/// AAC-LC, 48 kHz, channelConfiguration 0, up to its program_config_element.
BitWriter before_pce() { return BitWriter().u(5, 2).u(4, 3).u(4, 0).u(3, 0); }

}  // namespace

TEST_CASE("AudioSpecificConfigs that encoders send are read", "[packager][aac]") {
  check(hex({0x11, 0x90}), {"mp4a.40.2", 48'000, 48'000, 2});
  check(hex({0x12, 0x10}), {"mp4a.40.2", 44'100, 44'100, 2});
  check(hex({0x12, 0x08}), {"mp4a.40.2", 44'100, 44'100, 1});
  check(hex({0x11, 0xb0}), {"mp4a.40.2", 48'000, 48'000, 6});
  check(hex({0x11, 0x94}), {"mp4a.40.2", 48'000, 48'000, 2, 960});  // frameLengthFlag
  check(hex({0x11, 0x90, 0x56, 0xe5, 0x00}),
        {"mp4a.40.2", 48'000, 48'000, 2});  // "no SBR", as FFmpeg writes it
  // Hierarchical signalling: object type 5 or 29, 22.05 kHz core, 44.1 kHz with SBR
  check(hex({0x2b, 0x92, 0x08, 0x00}), {"mp4a.40.5", 22'050, 44'100, 2});
  check(hex({0xeb, 0x8a, 0x08, 0x00}), {"mp4a.40.29", 22'050, 44'100, 2});
}

TEST_CASE("SBR and PS behind a plain configuration are found", "[packager][aac]") {
  const auto core = [] { return BitWriter().u(5, 2).u(4, 6).u(4, 1).u(3, 0); };  // LC, 24 kHz, mono
  check(core().u(11, 0x2b7).u(5, 5).u(1, 1).u(4, 3).bytes(), {"mp4a.40.5", 24'000, 48'000, 1});
  check(core().u(11, 0x2b7).u(5, 5).u(1, 1).u(4, 3).u(11, 0x548).u(1, 1).bytes(),
        {"mp4a.40.29", 24'000, 48'000, 2});
  check(core().u(11, 0x2b7).u(5, 5).u(1, 1).u(4, 3).u(11, 0x548).u(1, 0).bytes(),
        {"mp4a.40.5", 24'000, 48'000, 1});
  check(core().u(11, 0x2b6).u(5, 5).u(1, 1).u(4, 3).bytes(),
        {"mp4a.40.2", 24'000, 24'000, 1});  // other bytes behind it
  check(core().u(11, 0x2b7).u(5, 5).u(1, 1).u(4, 6).bytes(),
        {"mp4a.40.5", 24'000, 24'000, 1});  // downsampled SBR
  // 15 bits are too few for an extension, whatever they say; extensionFlag and extensionFlag3 leave that many
  check(BitWriter().u(5, 2).u(4, 6).u(4, 1).u(2, 0).u(1, 1).u(1, 0).u(11, 0x2b7).u(4, 0).bytes(),
        {"mp4a.40.2", 24'000, 24'000, 1});
}

TEST_CASE("sampling frequencies come from the table or from the escape", "[packager][aac]") {
  check(BitWriter().u(5, 2).u(4, 0).u(4, 2).u(3, 0).bytes(), {"mp4a.40.2", 96'000, 96'000, 2});
  check(BitWriter().u(5, 2).u(4, 12).u(4, 2).u(3, 0).bytes(), {"mp4a.40.2", 7'350, 7'350, 2});
  check(BitWriter().u(5, 2).u(4, 15).u(24, 37'800).u(4, 2).u(3, 0).bytes(), {"mp4a.40.2", 37'800, 37'800, 2});
  const auto error = [](const BitWriter& bits) { return parse_aac_config(bits.bytes()).error(); };
  CHECK(error(BitWriter().u(5, 2).u(4, 13).u(4, 2).u(3, 0)) == Errc::bad_aac_config);
  CHECK(error(BitWriter().u(5, 2).u(4, 14).u(4, 2).u(3, 0)) == Errc::bad_aac_config);
  CHECK(error(BitWriter().u(5, 2).u(4, 15).u(24, 0).u(4, 2).u(3, 0)) == Errc::bad_aac_config);
  CHECK(error(BitWriter().u(5, 2).u(4, 15).u(24, 192'001).u(4, 2).u(3, 0)) == Errc::unsupported_codec);
  CHECK(error(BitWriter().u(5, 5).u(4, 6).u(4, 2).u(4, 4).u(5, 2).u(3, 0)) ==
        Errc::bad_aac_config);  // 24 to 44.1 kHz
}

TEST_CASE("channels come from the configuration", "[packager][aac]") {
  // ISO/IEC 14496-3 table 1.19
  const std::array<std::uint32_t, 16> channels{0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0};
  for (std::uint32_t configuration = 1; configuration < channels.size(); ++configuration) {
    CAPTURE(configuration);
    const auto format = parse_aac_config(BitWriter().u(5, 2).u(4, 3).u(4, configuration).u(3, 0).bytes());
    if (channels[configuration] == 0) {
      CHECK(format.error() == Errc::bad_aac_config);
    } else {
      REQUIRE(format.has_value());
      CHECK(format->channels == channels[configuration]);
    }
  }
}

TEST_CASE("a program config element gives the channels, and is read to its end", "[packager][aac]") {
  // 4.4.1.1: front 1 + pair, side pair, back 1, one LFE: 1 + 2 + 2 + 1 + 1 = 7 channels; a comment of 3 bytes
  auto pce = before_pce();
  pce.u(4, 0).u(2, 1).u(4, 3).u(4, 2).u(4, 1).u(4, 1).u(2, 1).u(3, 1).u(4, 1);
  pce.u(1, 1).u(4, 9).u(1, 0).u(1, 1).u(3, 5);  // mixdowns
  pce.u(1, 0).u(4, 0).u(1, 1).u(4, 1);          // front
  pce.u(1, 1).u(4, 2);                          // side
  pce.u(1, 0).u(4, 3);                          // back
  pce.u(4, 0).u(4, 0).u(5, 0);                  // LFE, data stream, coupling channel
  pce.align().u(8, 3).u(24, 0x616263);
  check(pce.bytes(), {"mp4a.40.2", 48'000, 48'000, 7});
  auto with_extension = pce;
  with_extension.u(11, 0x2b7).u(5, 5).u(1, 0);
  check(with_extension.bytes(), {"mp4a.40.2", 48'000, 48'000, 7});

  const auto whole = pce.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(parse_aac_config(ByteSpan(whole).first(size)).error() == Errc::truncated);
  }
  const auto silent = before_pce().u(10, 0).u(21, 0).u(3, 0).align().u(8, 0);
  CHECK(parse_aac_config(silent.bytes()).error() == Errc::bad_aac_config);
}

TEST_CASE("object types other than LC are refused with their reason", "[packager][aac]") {
  for (const unsigned type : {1U, 3U, 4U, 6U, 17U, 23U, 30U}) {
    CAPTURE(type);
    CHECK(parse_aac_config(BitWriter().u(5, type).u(4, 3).u(4, 2).u(32, 0).bytes()).error() ==
          Errc::unsupported_codec);
  }
  CHECK(parse_aac_config(BitWriter().u(5, 0).u(4, 3).u(4, 2).u(3, 0).bytes()).error() ==
        Errc::bad_aac_config);
  // USAC: object type 42 by the escape
  CHECK(parse_aac_config(BitWriter().u(5, 31).u(6, 10).u(4, 3).u(4, 2).u(32, 0).bytes()).error() ==
        Errc::unsupported_codec);
  // SBR over something else than LC
  CHECK(parse_aac_config(BitWriter().u(5, 5).u(4, 6).u(4, 2).u(4, 3).u(5, 22).u(4, 2).u(16, 0).bytes())
            .error() == Errc::unsupported_codec);
}

TEST_CASE("a configuration that is cut short, or far too long, is refused", "[packager][aac]") {
  CHECK(parse_aac_config({}).error() == Errc::truncated);
  CHECK(parse_aac_config(hex({0x11})).error() == Errc::truncated);
  CHECK(parse_aac_config(hex({0xeb, 0x8a})).error() == Errc::truncated);
  CHECK(parse_aac_config(hex({0x11, 0x90, 0x56, 0xe5})).error() ==
        Errc::truncated);  // sbrPresentFlag is missing
  auto padded = hex({0x11, 0x90});
  padded.resize(513);
  CHECK(parse_aac_config(padded).error() == Errc::bad_aac_config);
}

TEST_CASE("a format that was serialized reads the same, and other bytes are refused", "[packager][format]") {
  const auto format = parse_aac_config(hex({0x11, 0x90}));
  REQUIRE(format.has_value());
  CHECK(deserialize_format(serialize(*format)).value() == *format);
  CHECK(deserialize_format({}).error() == Errc::truncated);
  CHECK(deserialize_format(hex({99, 0x11, 0x90})).error() == Errc::unsupported_codec);
  CHECK(deserialize_format(hex({2, 0x11})).error() == Errc::truncated);
  CHECK(deserialize_format(hex({1})).error() == Errc::truncated);
}

TEST_CASE("every packager error has its own words", "[packager][errc]") {
  std::string previous;
  for (int code = 1; code <= static_cast<int>(Errc::no_parameters); ++code) {
    const auto error = make_error_code(static_cast<Errc>(code));
    CHECK(error.failed());
    CHECK(error.message() != previous);
    CHECK(error.message() != "unknown packager error");
    previous = error.message();
  }
}
