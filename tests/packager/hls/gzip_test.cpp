#include "packager/hls/gzip.hpp"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/packager/hls/inflate.hpp"

using namespace lookback;
using namespace lookback::packager::hls;

namespace {

std::string random_text(std::mt19937& random, std::size_t size) {
  std::string text;
  while (text.size() < size)
    text.append("#EXTINF:2.0,\nv0-k3f9-").append(std::to_string(random())).append(".m4s\n");
  text.resize(size);
  return text;
}

/// What the gzip program makes of it.
std::string by_the_tool(const Chain& chain) {
  const auto file = std::filesystem::temp_directory_path() / ("lookback-" + std::to_string(getpid()) + ".gz");
  const auto bytes = flatten(chain);
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const auto pipe = popen(("gzip -dc '" + file.string() + "'").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) text.push_back(static_cast<char>(c));
  CHECK(pclose(pipe) == 0);
  std::filesystem::remove(file);
  return text;
}

}  // namespace

TEST_CASE("pieces compressed apart are one gzip member together", "[packager][hls][gzip]") {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::string whole;
    std::vector<DeflatePiece> pieces;
    const auto count = 1 + random() % 8;
    for (std::size_t i = 0; i < count; ++i) {
      const auto text = random_text(random, random() % 3 == 0 ? random() % 3 : random() % 20'000);
      whole += text;
      pieces.push_back(deflate_piece(text, i + 1 == count));
    }
    CHECK(test::gunzip(gzip_member(pieces)) == whole);
  }
}

TEST_CASE("the gzip program reads what we write", "[packager][hls][gzip]") {
  std::mt19937 random(8);
  const auto first = random_text(random, 6'000), second = random_text(random, 100'000);
  const std::vector pieces{deflate_piece(first, false), deflate_piece("", false),
                           deflate_piece(second, true)};
  CHECK(by_the_tool(gzip_member(pieces)) == first + second);
  CHECK(by_the_tool(gzip("")) == "");
}

TEST_CASE("text that does not compress still fits", "[packager][hls][gzip]") {
  std::mt19937 random(9);
  std::string noise(200'000, '\0');
  for (auto& c : noise) c = static_cast<char>(random());
  const std::vector pieces{deflate_piece(noise, false), deflate_piece(noise, true)};
  CHECK(test::gunzip(gzip_member(pieces)) == noise + noise);
}
