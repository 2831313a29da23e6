#include "store/extent_file.hpp"

#include <fcntl.h>
#include <fstream>

#include "store/extent_cache.hpp"
#include "tests/store/fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;

namespace {

std::shared_ptr<const ExtentFile> file_of(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  return std::make_shared<const ExtentFile>(descriptor);
}

}  // namespace

TEST_CASE("a range of an extent is read exactly, or not at all", "[store][extent]") {
  const TempDir folder;
  const auto file = file_of(folder.path() / "x", "0123456789");
  const auto middle = file->read(2, 5);
  REQUIRE(middle.has_value());
  CHECK(as_text(**middle) == "23456");
  CHECK(file->read(0, 10).has_value());
  CHECK(file->read(0, 0).has_value());
  CHECK(file->read(6, 5).error() == Errc::damaged);
  CHECK(file->read(100, 1).error() == Errc::damaged);
}

TEST_CASE("what was just read is in the page cache; what is past the end is not", "[store][extent]") {
  const TempDir folder;
  const auto file = file_of(folder.path() / "x", std::string(300'000, 'x'));
  file->prefetch(0, 300'000);
  CHECK(file->is_cached(0, 300'000));
  CHECK(!file->is_cached(300'000, 1));
  file->prefetch(299'000, 5'000);  // ends at the end of the file
  CHECK(file->is_cached(0, 0));
}

TEST_CASE("the cache of open extents is bounded, and forgets what is unlinked", "[store][extent]") {
  const TempDir folder;
  const Log quiet = [](const std::string&) {};
  auto folder_opened = Folder::open(folder.path(), quiet);
  REQUIRE(folder_opened.has_value());
  const auto& opened = *folder_opened;
  for (std::uint64_t id = 1; id <= 5; ++id) std::ofstream(opened.extent_path(id)) << id;
  ExtentCache cache(opened, 2);
  const auto first = cache.open(1, quiet).value();
  CHECK(cache.open(1, quiet).value() == first);
  const std::weak_ptr<const ExtentFile> second = cache.open(2, quiet).value();
  CHECK(!second.expired());
  CHECK(cache.open(1, quiet).value() == first);  // now 2 is the one longest unused
  CHECK(cache.open(3, quiet).has_value());
  CHECK(second.expired());
  CHECK(cache.open(9, quiet).error() == Errc::not_found);

  cache.unlink(3, quiet);
  CHECK(cache.open(3, quiet).error() == Errc::not_found);
  cache.unlink(1, quiet);
  CHECK(as_text(**first->read(0, 1)) == "1");
}
