#include "store/block_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "store/base/errc.hpp"
#include "store/file.hpp"
#include "store/system_error.hpp"

namespace lookback::store {
namespace {

constexpr ExtentHeader::Nonce no_nonce{};

bool sync_folder(const std::filesystem::path& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder && ::fsync(folder.get()) == 0;
}

}  // namespace

Result<void> BlockLog::failed(const char* doing, const std::filesystem::path& path) {
  const auto error = errno;
  log_(describe(doing + (" " + path.string()), error));
  return errc_of(error);
}

Result<void> BlockLog::give_up(const char* doing) {
  auto why = failed(doing, folder_ / name_);
  file_ = Descriptor();
  dirty_ = false;
  return why;
}

Result<void> BlockLog::rewrite(std::string_view entries) {
  const auto target = folder_ / name_, fresh = folder_ / (std::string(name_) + ".new");
  Descriptor file(::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!file) return failed("creating", fresh);
  if (!write_all(file.get(), as_bytes(entries)) || ::fdatasync(file.get()) != 0)
    return failed("writing", fresh);
  if (::rename(fresh.c_str(), target.c_str()) != 0) return failed("renaming", fresh);
  if (!sync_folder(folder_)) return failed("syncing", folder_);
  file_ = std::move(file);
  base_bytes_ = size_bytes_ = entries.size();
  dirty_ = false;
  return {};
}

Result<void> BlockLog::append(std::string_view entries) {
  if (!file_) return Errc::io_error;
  if (!write_all(file_.get(), as_bytes(entries))) return give_up("writing");
  size_bytes_ += entries.size();
  dirty_ = true;
  return {};
}

Result<void> BlockLog::sync() {
  if (!dirty_) return {};
  if (::fdatasync(file_.get()) != 0) return give_up("syncing");
  dirty_ = false;
  return {};
}

bool BlockLog::wants_rewrite(std::uint64_t more_bytes) const {
  return !file_ || size_bytes_ + more_bytes > 2 * base_bytes_ + slack_bytes_;
}

std::string block_log_entry(BlockType type, std::string_view payload) {
  return encode_block(no_nonce, type, payload);
}

Result<std::uint64_t> read_block_log(const std::filesystem::path& path,
                                     const std::function<void(const Block&)>& visit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return 0;
  if (!file) return errc_of(errno);
  const auto bytes = read_whole(file.get());
  if (!bytes) return bytes.error();
  std::uint64_t bad_bytes = 0;
  for (ByteSpan left(*bytes); !left.empty();) {
    const auto block = decode_block(no_nonce, left);
    if (block) visit(*block);
    if (!block) ++bad_bytes;
    left = left.subspan(block ? block->size_bytes : 1);
  }
  return bad_bytes;
}

}  // namespace lookback::store
