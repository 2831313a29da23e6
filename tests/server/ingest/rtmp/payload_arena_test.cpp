#include "server/ingest/rtmp/payload_arena.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <vector>

using lookback::server::rtmp::PayloadArena;

namespace {

using Piece = std::shared_ptr<std::byte[]>;

constexpr auto block = PayloadArena::block_bytes, largest = PayloadArena::largest_piece;

}  // namespace

TEST_CASE("pieces keep their bytes as long as they live, also after the arena", "[rtmp][arena]") {
  std::mt19937 random(1);
  std::vector<std::pair<Piece, std::size_t>> pieces;
  {
    PayloadArena arena;
    for (std::size_t i = 0; i < 500; ++i) {
      const auto size = 1 + random() % (largest + largest / 4);
      pieces.emplace_back(arena.take(size), size);
      std::fill_n(pieces.back().first.get(), size, static_cast<std::byte>(i));
      if (i % 3 == 0) pieces[random() % pieces.size()] = {};
    }
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto& [piece, size] = pieces[i];
    CAPTURE(i, size);
    CHECK(std::all_of(piece.get(), piece.get() + size,
                      [&](std::byte byte) { return byte == static_cast<std::byte>(i); }));
  }
}

TEST_CASE("a block is freed with the last of its pieces", "[rtmp][arena]") {
  PayloadArena arena;
  const auto take_block = [&] {
    std::vector<Piece> pieces;
    for (std::size_t used = 0; used < block; used += largest) pieces.push_back(arena.take(largest));
    return pieces;
  };
  auto first = take_block();
  const std::weak_ptr<std::byte[]> watch = first.front();
  const auto second = take_block(), third = take_block();  // the arena has done with the first
  while (first.size() > 1) {
    first.erase(first.begin());
    CHECK_FALSE(watch.expired());
  }
  first.clear();
  CHECK(watch.expired());
}

TEST_CASE("small pieces fill up the block before", "[rtmp][arena]") {
  PayloadArena arena;
  const auto first = arena.take(largest);
  for (std::size_t used = largest; used < block - largest; used += largest) (void)arena.take(largest);
  const auto small = arena.take(1'000);
  const auto next_block = arena.take(largest);  // does not fit behind the small one
  CHECK(arena.take(1'000).get() == small.get() + 1'000);
  CHECK(arena.take(largest).get() == next_block.get() + largest);
}

TEST_CASE("a large piece has its own memory and leaves the block to the small ones", "[rtmp][arena]") {
  PayloadArena arena;
  const auto before = arena.take(100);
  auto large = arena.take(largest + 1);
  const auto after = arena.take(100);
  CHECK(after.get() == before.get() + 100);
  const std::weak_ptr<std::byte[]> watch = large;
  large.reset();
  CHECK(watch.expired());
}
