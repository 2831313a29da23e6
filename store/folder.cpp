#include "store/folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include "store/base/crc32c.hpp"
#include "store/base/errc.hpp"
#include "store/system_error.hpp"
#include "store/wire.hpp"

namespace lookback::store {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view version_prefix = "lookback-store ";
constexpr std::size_t mark_bytes = 12;

/// Logs "doing PATH: reason" and gives the store's error for it.
Errc failed(const Log& log, const std::string& doing, const fs::path& path, int error) {
  log(describe(doing + " " + path.string(), error));
  return errc_of(error);
}

Result<void> make_folder(const fs::path& path, const Log& log) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) return {};
  const auto why = failed(log, "creating", path, error.value());
  return error == std::errc::not_a_directory || error == std::errc::file_exists ? Errc::not_a_store : why;
}

Result<void> hold(const Descriptor& lock, const fs::path& path, const Log& log) {
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return failed(log, "locking", path, errno);
  log(path.string() + " is locked: " + make_error_code(Errc::in_use).message());
  return Errc::in_use;
}

Result<Descriptor> take_lock(const fs::path& path, const Log& log) {
  Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock) return failed(log, "opening", path, errno);
  if (auto held = hold(lock, path, log); !held) return held.error();
  return lock;
}

Result<std::optional<std::uint32_t>> read_version(const fs::path& path, const Log& log) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<std::uint32_t>();
  if (!file) return failed(log, "opening", path, errno);
  std::array<char, 64> buffer{};
  const auto size = ::read(file.get(), buffer.data(), buffer.size());
  if (size < 0) return failed(log, "reading", path, errno);
  std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  std::uint32_t version = 0;
  if (text.starts_with(version_prefix)) {
    text.remove_prefix(version_prefix.size());
    std::from_chars(text.data(), text.data() + text.size(), version);
  }
  if (version != 0) return std::optional(version);
  log(path.string() + " does not say which format the store has");
  return Errc::not_a_store;
}

/// The store's format; 0: there is none. Errors: newer_format, not_a_store, and those of reading.
Result<std::uint32_t> known_version(const fs::path& path, const Log& log) {
  const auto version = read_version(path / "VERSION", log);
  if (!version) return version.error();
  if (version->value_or(0) <= Folder::format_version) return version->value_or(0);
  log(fmt::format("{} has store format {}; this program knows {}", path.string(), version->value(),
                  Folder::format_version));
  return Errc::newer_format;
}

Errc no_store(const fs::path& path, const Log& log) {
  log(path.string() + " holds no store");
  return Errc::not_a_store;
}

/// What the owner of a file system, or an earlier run, may have left in a folder that is to become a store.
bool is_harmless(const std::string& name) {
  static constexpr std::array ours = {
      "LOCK",        "SYNCED",          "VERSION.new",    "index",
      "streams.log", "streams.log.new", "recordings.log", "recordings.log.new"};
  return name.starts_with('.') || name == "lost+found" || name.starts_with("index.") ||
         std::ranges::find(ours, name) != ours.end();
}

/// Whether a folder without VERSION may become a store: nothing in it but what a creation that was
/// interrupted leaves.
Result<void> check_empty(const fs::path& path, const Log& log) {
  std::error_code error;
  bool has_extents = false;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (is_harmless(name)) continue;
    if (name != "extents") {
      log(path.string() + " has no VERSION file but holds " + name);
      return Errc::not_a_store;
    }
    has_extents = !fs::is_empty(entry->path(), error);
  }
  if (error) return failed(log, "listing", path, error.value());
  if (!has_extents) return {};
  log(path.string() + " has extents but no VERSION file; " + make_error_code(Errc::damaged).message());
  return Errc::damaged;
}

Result<void> sync_folder(const fs::path& path, const Log& log) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return failed(log, "syncing", path, errno);
  return {};
}

std::optional<std::uint64_t> id_of(std::string_view name) {
  constexpr std::size_t digits = 16;
  if (name.size() != digits + 4 || !name.ends_with(".ext")) return std::nullopt;
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + digits, id, 16);
  if (error != std::errc() || end != name.data() + digits || name != extent_name(id)) return std::nullopt;
  return id;
}

}  // namespace

std::string extent_name(std::uint64_t id) { return fmt::format("{:016x}.ext", id); }

Result<Folder> Folder::open(const fs::path& path, const Log& log) {
  Folder folder;
  folder.path_ = path;
  if (auto made = make_folder(path, log); !made) return made.error();
  // The version comes before the lock, so that not even a lock file is left in a folder of somebody else's.
  const auto version = known_version(path, log);
  if (!version) return version.error();
  folder.is_new_ = *version == 0;
  folder.version_ = *version;
  if (folder.is_new_) {
    if (auto empty = check_empty(path, log); !empty) return empty.error();
  }
  if (auto opened = folder.open_files(log); !opened) return opened.error();
  return folder;
}

Result<Folder> Folder::open_for_repair(const fs::path& path, const Log& log) {
  Folder folder;
  folder.path_ = path;
  const auto version = known_version(path, log);
  if (!version) return version.error();
  folder.is_new_ = *version == 0;
  folder.version_ = *version;
  if (folder.is_new_) {
    const auto state = check_empty(path, log);
    if (state || state.error() != Errc::damaged) return no_store(path, log);
  }
  if (auto opened = folder.open_files(log); !opened) return opened.error();
  return folder;
}

Result<Folder> Folder::open_read_only(const fs::path& path, const Log& log) {
  Folder folder;
  folder.path_ = path;
  const auto version = known_version(path, log);
  if (!version) return version.error();
  if (*version == 0) {
    const auto state = check_empty(path, log);
    return state ? no_store(path, log) : state.error();
  }
  // A copy may lack the lock file: then nobody has it open.
  Descriptor lock(::open((path / "LOCK").c_str(), O_RDONLY | O_CLOEXEC));
  if (!lock && errno != ENOENT) return failed(log, "opening", path / "LOCK", errno);
  if (lock) {
    if (auto taken = hold(lock, path / "LOCK", log); !taken) return taken.error();
  }
  folder.lock_ = std::move(lock);
  folder.extents_ = Descriptor(::open(folder.extents_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  folder.mark_ = Descriptor(::open((path / "SYNCED").c_str(), O_RDONLY | O_CLOEXEC));  // none: no mark
  return folder;
}

Result<void> Folder::open_files(const Log& log) {
  auto lock = take_lock(path_ / "LOCK", log);
  if (!lock) return lock.error();
  lock_ = std::move(*lock);
  if (auto made = make_folder(extents_path(), log); !made) return made;
  extents_ = Descriptor(::open(extents_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!extents_) return failed(log, "opening", extents_path(), errno);
  mark_ = Descriptor(::open((path_ / "SYNCED").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!mark_) return failed(log, "opening", path_ / "SYNCED", errno);
  return {};
}

Result<void> Folder::mark_created(const Log& log) {
  const auto target = path_ / "VERSION", fresh = path_ / "VERSION.new";
  const auto text = fmt::format("{}{}\n", version_prefix, format_version);
  const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return failed(log, "creating", fresh, errno);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(file.get()) != 0) {
    return failed(log, "writing", fresh, errno);
  }
  if (::rename(fresh.c_str(), target.c_str()) != 0) return failed(log, "renaming", fresh, errno);
  is_new_ = false;
  version_ = format_version;
  return sync_folder(path_, log);
}

fs::path Folder::extent_path(std::uint64_t id) const { return extents_path() / extent_name(id); }

Result<std::vector<std::uint64_t>> Folder::list_extents() const {
  std::vector<std::uint64_t> ids;
  std::error_code error;
  for (fs::directory_iterator entry(extents_path(), error), end; !error && entry != end;
       entry.increment(error)) {
    if (const auto id = id_of(entry->path().filename().string())) ids.push_back(*id);
  }
  if (error) return errc_of(error.value());
  std::ranges::sort(ids);
  return ids;
}

std::uint64_t Folder::sync_mark() const {
  std::array<std::byte, mark_bytes> bytes{};
  if (::pread(mark_.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return 0;
  Decoder in(bytes);
  const auto sequence = in.u64();
  // A mark torn by a crash says nothing; the index is then trusted as it opens.
  return in.u32() == crc32c(ByteSpan(bytes).first(8)) ? sequence : 0;
}

Result<void> Folder::write_sync_mark(std::uint64_t sequence) {
  auto text = Encoder().u64(sequence).take();
  text += Encoder().u32(crc32c(as_bytes(text))).take();
  // Not synced: a mark that is older than the index is as good.
  if (::pwrite(mark_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) return {};
  return errc_of(errno);
}

}  // namespace lookback::store
