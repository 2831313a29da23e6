#include "store/extent_format.hpp"

#include <catch2/catch_test_macros.hpp>

#include "store/base/errc.hpp"

using namespace lookback;
using namespace lookback::store;

namespace {

ExtentHeader header_7() {
  ExtentHeader header{.id = 7, .stream = 3, .track = 2, .timescale = 48'000, .nonce = {}};
  for (std::size_t i = 0; i < header.nonce.size(); ++i) header.nonce[i] = static_cast<std::byte>(0x10 + i);
  return header;
}

}  // namespace

TEST_CASE("an extent's header says whose it is", "[store][extent]") {
  const auto bytes = encode(header_7());
  CHECK(bytes.size() == 64);
  CHECK(bytes.starts_with("LBEXTENT"));
  const auto back = decode_extent_header(as_bytes(bytes));
  REQUIRE(back.has_value());
  CHECK(back->id == 7);
  CHECK(back->stream == 3);
  CHECK(back->track == 2);
  CHECK(back->timescale == 48'000);
  CHECK(back->nonce == header_7().nonce);
}

TEST_CASE("a header with any bit changed, or cut, is refused", "[store][extent]") {
  const auto good = encode(header_7());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    CHECK(!decode_extent_header(as_bytes(bytes)).has_value());
  }
  CHECK(decode_extent_header(as_bytes(good.substr(0, 63))).error() == Errc::damaged);
}

TEST_CASE("a block is found with its payload and its whole length", "[store][extent]") {
  const auto nonce = header_7().nonce;
  const auto bytes = encode_block(nonce, BlockType::init, "payload") + "what follows";
  const auto block = decode_block(nonce, as_bytes(bytes));
  REQUIRE(block.has_value());
  CHECK(block->type == BlockType::init);
  CHECK(as_text(block->payload) == "payload");
  CHECK(bytes.substr(block->size_bytes) == "what follows");
}

TEST_CASE("a block with any bit changed, cut, or of another extent is refused", "[store][extent]") {
  const auto header = header_7();
  const auto good =
      footer_block(header, {.msn = 5, .parts = {{.duration = 3, .size_bytes = 4, .crc32c = 5}}});
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    CHECK(!decode_block(header.nonce, as_bytes(bytes)).has_value());
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(!decode_block(header.nonce, as_bytes(std::string(good, 0, size))).has_value());
  }
  auto other = header.nonce;
  other[0] ^= std::byte{1};
  CHECK(!decode_block(other, as_bytes(good)).has_value());
}

TEST_CASE("a segment's footer names its track and holds its record", "[store][extent]") {
  const SegmentRecord segment{.msn = 5,
                              .start = -1,
                              .pdt_us = 9,
                              .complete = true,
                              .extent = 7,
                              .offset = 64,
                              .size_bytes = 4,
                              .parts = {{.duration = 3, .size_bytes = 4, .crc32c = 5}}};
  const auto bytes = footer_block(header_7(), segment);
  const auto block = decode_block(header_7().nonce, as_bytes(bytes));
  REQUIRE(block.has_value());
  CHECK(block->type == BlockType::segment);
  const auto footer = decode_footer(block->payload);
  REQUIRE(footer.has_value());
  CHECK(footer->stream == 3);
  CHECK(footer->track == 2);
  CHECK(footer->timescale == 48'000);
  CHECK(footer->segment == segment);
}
