#include "store/folder.hpp"

#include <sys/stat.h>

#include <fstream>

#include "tests/store/power_cut.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;

namespace {

void write_one_segment(const fs::path& path) {
  const auto store = open_store(options_at(path));
  append_segment(*store, open_test_stream(*store), 0);
}

}  // namespace

TEST_CASE("a second opener is refused while the first lives, and only then", "[store][folder]") {
  const TempDir folder;
  LogLines log;
  auto options = options_at(folder.path());
  options.log = log.sink();
  {
    const auto first = open_store(options_at(folder.path()));
    CHECK(Store::open(options).error() == Errc::in_use);
    CHECK(log.text().find("in use by another process") != std::string::npos);
    CHECK(in_child([&] { ::_exit(Store::open(options).error() == Errc::in_use ? 10 : 11); }) == 10);
  }
  CHECK(Store::open(options).has_value());
}

TEST_CASE("a store of a newer format is refused and left alone", "[store][folder]") {
  const TempDir folder;
  write_one_segment(folder.path());
  std::ofstream(folder.path() / "VERSION") << "lookback-store " << Folder::format_version + 1 << "\n";
  CHECK(Store::open(options_at(folder.path())).error() == Errc::newer_format);
  std::ofstream(folder.path() / "VERSION") << "lookback-store 1\n";
  const auto store = open_store(options_at(folder.path()));
  check_bytes(*store, *store->find_segment(1, 0, 0));
}

TEST_CASE("a folder that holds something else is refused and left alone", "[store][folder]") {
  const TempDir folder;
  std::ofstream(folder.path() / "thesis.tex") << "important";
  CHECK(Store::open(options_at(folder.path())).error() == Errc::not_a_store);
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a path that is a file, or below one, is refused", "[store][folder]") {
  const TempDir folder;
  std::ofstream(folder.path() / "file") << "x";
  CHECK(Store::open(options_at(folder.path() / "file")).error() == Errc::not_a_store);
  CHECK(Store::open(options_at(folder.path() / "file" / "below")).error() == Errc::not_a_store);
}

TEST_CASE("a creation that was interrupted is taken up again", "[store][folder]") {
  const TempDir folder;
  fs::create_directory(folder.path() / "index");
  fs::create_directory(folder.path() / "extents");
  std::ofstream(folder.path() / "VERSION.new") << "look";
  const auto store = open_store(options_at(folder.path()));
  append_segment(*store, open_test_stream(*store), 0);
}

TEST_CASE("a folder without write permission is refused as read-only", "[store][folder]") {
  const TempDir folder;
  write_one_segment(folder.path());
  constexpr uid_t nobody = 65534;
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::remove);
  }
  fs::permissions(folder.path(), fs::perms::owner_write, fs::perm_options::remove);
  const auto code = in_child([&] {
    if (::geteuid() == 0 && ::seteuid(nobody) != 0) ::_exit(1);  // root may write everywhere
    ::_exit(Store::open(options_at(folder.path())).error() == Errc::read_only ? 10 : 11);
  });
  fs::permissions(folder.path(), fs::perms::owner_all, fs::perm_options::add);
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
  }
  CHECK(code == 10);
}

TEST_CASE("an index with a part missing is damage to be mended, never a new store", "[store][folder]") {
  const TempDir folder;
  write_one_segment(folder.path());
  const auto index = folder.path() / "index";
  SECTION("CURRENT") { REQUIRE(fs::remove(index / "CURRENT")); }
  SECTION("the manifest") {
    for (const auto& entry : fs::directory_iterator(index)) {
      if (entry.path().filename().string().starts_with("MANIFEST")) fs::remove(entry.path());
    }
  }
  SECTION("all of it") { REQUIRE(fs::remove_all(index) > 0); }
  SECTION("VERSION") { REQUIRE(fs::remove(folder.path() / "VERSION")); }
  const auto size = fs::file_size(only_extent(folder.path()));
  for (int attempt = 0; attempt < 2; ++attempt) {
    LogLines log;
    auto options = options_at(folder.path());
    options.log = log.sink();
    CHECK(Store::open(options).error() == Errc::damaged);
    CHECK(log.text().find("store repair") != std::string::npos);
  }
  CHECK(fs::file_size(only_extent(folder.path())) == size);
}

TEST_CASE("a flipped bit in a table of the index is damage", "[store][folder]") {
  const TempDir folder;
  write_one_segment(folder.path());
  { const auto again = open_store(options_at(folder.path())); }  // flushes the log to tables
  int flipped = 0;
  for (const auto& entry : fs::directory_iterator(folder.path() / "index")) {
    if (entry.path().extension() != ".sst") continue;
    for (std::uint64_t at = 0; at < 40; ++at) flip_bit(entry.path(), at);
    ++flipped;
  }
  REQUIRE(flipped > 0);
  CHECK(Store::open(options_at(folder.path())).error() == Errc::damaged);
}

TEST_CASE("only names of the form sixteen hexadecimal digits are extents", "[store][folder]") {
  const TempDir folder;
  const Log quiet = [](const std::string&) {};
  auto opened = Folder::open(folder.path(), quiet);
  REQUIRE(opened.has_value());
  for (const auto* name : {"00000000000000ff.ext", "0000000000000001.ext", "1.ext", "00000000000000FF.ext",
                           "000000000000000g.ext", "00000000000000ff.tmp", "+000000000000001.ext"}) {
    std::ofstream(opened->extents_path() / name) << "x";
  }
  const auto ids = opened->list_extents();
  REQUIRE(ids.has_value());
  CHECK(*ids == std::vector<std::uint64_t>{1, 0xFF});
}

TEST_CASE("the sync mark is what was written last; a torn one says nothing", "[store][folder]") {
  const TempDir folder;
  const Log quiet = [](const std::string&) {};
  auto opened = Folder::open(folder.path(), quiet);
  REQUIRE(opened.has_value());
  CHECK(opened->sync_mark() == 0);
  REQUIRE(opened->write_sync_mark(77).has_value());
  REQUIRE(opened->write_sync_mark(1ull << 40).has_value());
  CHECK(opened->sync_mark() == 1ull << 40);
  flip_bit(folder.path() / "SYNCED", 3);
  CHECK(opened->sync_mark() == 0);
}
