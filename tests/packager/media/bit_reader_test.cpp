#include "packager/media/bit_reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/packager/media/bit_writer.hpp"

using namespace lookback;
using namespace lookback::packager;
using test::BitWriter;

TEST_CASE("bits, ue and se come back as they were written, at every alignment", "[packager][bits]") {
  std::mt19937_64 random(20);
  for (int round = 0; round < 200; ++round) {
    struct Field {
      int kind;
      unsigned width;
      std::int64_t value;
    };
    std::vector<Field> fields;
    BitWriter out;
    for (int i = 0; i < 100; ++i) {
      Field field{static_cast<int>(random() % 3), static_cast<unsigned>(random() % 33), 0};
      const auto value = static_cast<std::int64_t>(random() & ((std::uint64_t{1} << field.width) - 1));
      field.value = field.kind == 0 ? value : value >> 2;  // ue up to 2^30
      if (field.kind == 2 && random() % 2 == 0) field.value = -field.value;
      if (field.kind == 0) out.u(field.width, static_cast<std::uint64_t>(field.value));
      if (field.kind == 1) out.ue(static_cast<std::uint64_t>(field.value));
      if (field.kind == 2) out.se(field.value);
      fields.push_back(field);
    }
    const auto bytes = out.bytes();
    BitReader in(bytes);
    for (const auto& field : fields) {
      CAPTURE(round, field.kind, field.width);
      if (field.kind == 0) REQUIRE(in.bits(field.width) == field.value);
      if (field.kind == 1) REQUIRE(in.ue() == field.value);
      if (field.kind == 2) REQUIRE(in.se() == field.value);
    }
    CHECK(in.ok());
  }
}

TEST_CASE("the ends of Exp-Golomb's range are read, and what lies beyond is refused", "[packager][bits]") {
  const auto top = BitWriter().ue(0xFFFF'FFFE).se(2'147'483'647).se(-2'147'483'647).bytes();
  BitReader in(top);
  CHECK(in.ue() == 0xFFFF'FFFE);
  CHECK(in.se() == 2'147'483'647);
  CHECK(in.se() == -2'147'483'647);

  const auto beyond = BitWriter().ue(0xFFFF'FFFF).bytes();
  BitReader refused(beyond);
  CHECK(refused.ue() == 0);
  CHECK(refused.fault() == BitReader::Fault::out_of_range);

  const std::vector<std::byte> zeros(64);
  BitReader endless(zeros);
  CHECK(endless.ue() == 0);
  CHECK(endless.fault() == BitReader::Fault::out_of_range);
}

TEST_CASE("a value above its limit, or bits past the end, make every later read 0", "[packager][bits]") {
  const auto bytes = BitWriter().ue(7).u(8, 0xFF).bytes();
  BitReader limited(bytes);
  CHECK(limited.ue(6) == 0);
  CHECK(limited.fault() == BitReader::Fault::out_of_range);
  CHECK(limited.bits(8) == 0);

  BitReader exact(bytes);
  CHECK(exact.ue(7) == 7);
  CHECK(exact.bits(8) == 0xFF);
  CHECK(exact.left() == 1);
  CHECK(exact.bits(2) == 0);
  CHECK(exact.fault() == BitReader::Fault::truncated);
  CHECK_FALSE(exact.flag());

  BitReader skipping(bytes);
  skipping.skip(17);
  CHECK(skipping.fault() == BitReader::Fault::truncated);
}

TEST_CASE("emulation prevention bytes go, and only they", "[packager][bits]") {
  const auto bytes = [](std::initializer_list<int> values) {
    std::vector<std::byte> out;
    for (const int value : values) out.push_back(static_cast<std::byte>(value));
    return out;
  };
  CHECK(without_emulation_prevention(bytes({0, 0, 3, 1})) == bytes({0, 0, 1}));
  CHECK(without_emulation_prevention(bytes({0, 0, 3, 0, 0, 3, 0, 0, 3})) == bytes({0, 0, 0, 0, 0, 0}));
  CHECK(without_emulation_prevention(bytes({0, 3, 0, 3, 3})) == bytes({0, 3, 0, 3, 3}));
  CHECK(without_emulation_prevention(bytes({0, 0, 0, 3})) == bytes({0, 0, 0}));
  CHECK(without_emulation_prevention({}).empty());
}
