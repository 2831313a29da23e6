#include "store/base/crc32c.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace lookback;

namespace {

std::vector<std::byte> counting(int from, int step) {
  std::vector<std::byte> bytes(32);
  for (auto& byte : bytes) {
    byte = static_cast<std::byte>(from);
    from += step;
  }
  return bytes;
}

/// RFC 3720 B.4 prints the checksum's bytes in the order in which they are sent: least significant first.
struct Vector {
  std::vector<std::byte> bytes;
  std::uint32_t crc;
};

std::vector<Vector> rfc3720_vectors() {
  std::vector<std::byte> pdu(48, std::byte{0});
  const std::pair<std::size_t, int> set[] = {{0, 0x01},  {1, 0xC0},  {16, 0x14}, {22, 0x04},
                                             {27, 0x14}, {31, 0x18}, {32, 0x28}, {40, 0x02}};
  for (const auto& [at, value] : set) pdu[at] = static_cast<std::byte>(value);
  return {{std::vector<std::byte>(32, std::byte{0x00}), 0x8A9136AA},
          {std::vector<std::byte>(32, std::byte{0xFF}), 0x62A8AB43},
          {counting(0, 1), 0x46DD794E},
          {counting(31, -1), 0x113FDB5C},
          {pdu, 0xD9963A56}};
}

std::vector<std::byte> random_bytes(std::size_t size, std::mt19937& random) {
  std::vector<std::byte> bytes(size);
  std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
  return bytes;
}

}  // namespace

TEST_CASE("CRC-32C gives the values of RFC 3720 B.4", "[store][crc]") {
  for (const auto& [bytes, crc] : rfc3720_vectors()) {
    CHECK(crc32c(bytes) == crc);
    CHECK(crc32c_by_table(bytes) == crc);
  }
}

TEST_CASE("the instruction and the table agree on every length and alignment", "[store][crc]") {
  std::mt19937 random(1);
  const auto bytes = random_bytes(10'000, random);
  for (std::size_t from = 0; from < 9; ++from) {
    // Lengths around and far beyond what the lanes of the instruction take at once.
    for (std::size_t size = 0; from + size <= bytes.size(); size += size < 300 ? 1 : 61) {
      const auto part = ByteSpan(bytes).subspan(from, size);
      REQUIRE(crc32c(part) == crc32c_by_table(part));
      REQUIRE(crc32c(part, 0x12345678) == crc32c_by_table(part, 0x12345678));
    }
  }
}

TEST_CASE("a checksum goes on from the checksum of what stands before", "[store][crc]") {
  std::mt19937 random(2);
  const auto bytes = random_bytes(1000, random);
  const auto whole = crc32c(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 37) {
    const auto head = ByteSpan(bytes).first(cut), tail = ByteSpan(bytes).subspan(cut);
    CHECK(crc32c(tail, crc32c(head)) == whole);
    CHECK(crc32c_by_table(tail, crc32c_by_table(head)) == whole);
    CHECK(crc32c_combine(crc32c(head), crc32c(tail), tail.size()) == whole);
  }
}

TEST_CASE("checksums of long runs are combined without the bytes", "[store][crc]") {
  // A run of 2^k zero bytes is two runs of 2^(k-1); one cut elsewhere must come to the same.
  const std::vector<std::byte> zeros(1 << 10), text(100, std::byte{'x'});
  auto run = crc32c(zeros);
  std::uint64_t size = zeros.size();
  for (; size < 1ull << 33; size *= 2) run = crc32c_combine(run, run, size);
  const auto at_once = crc32c_combine(crc32c(text), run, size);
  const auto longer = crc32c_combine(crc32c_combine(crc32c(text), crc32c(zeros), zeros.size()), run, size);
  CHECK(longer == crc32c_combine(at_once, crc32c(zeros), zeros.size()));
  CHECK(crc32c_combine(0x1234, 0, 0) == 0x1234);
}
