#include "store/recording_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "store/base/errc.hpp"
#include "store/codec.hpp"
#include "store/extent_format.hpp"
#include "store/file.hpp"
#include "store/system_error.hpp"

namespace lookback::store {
namespace {

/// Entries are blocks as in extents; the file has one owner, so its nonce is zero.
constexpr ExtentHeader::Nonce no_nonce{};
/// What the log may grow beyond twice its newest records before it is written anew.
constexpr std::uint64_t slack_bytes = 1 << 20;

void take(RecordingLogContents& out, const Block& block) {
  if (block.type == BlockType::recording_erased) {
    out.recordings.erase(std::string(as_text(block.payload)));
  } else if (block.type == BlockType::recording) {
    if (auto recording = decode_recording(block.payload))
      out.recordings[recording->id] = std::move(*recording);
  }
}

bool sync_folder(const std::filesystem::path& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder && ::fsync(folder.get()) == 0;
}

}  // namespace

std::string log_entry(const RecordingRecord& recording) {
  return encode_block(no_nonce, BlockType::recording, encode(recording));
}

std::string erased_log_entry(const std::string& recording) {
  return encode_block(no_nonce, BlockType::recording_erased, recording);
}

Result<void> RecordingLog::failed(const char* doing, const std::filesystem::path& path) {
  const auto error = errno;
  log_(describe(doing + (" " + path.string()), error));
  return errc_of(error);
}

Result<void> RecordingLog::rewrite(const std::vector<RecordingRecord>& recordings) {
  const std::lock_guard lock(mutex_);
  const auto target = folder_ / recording_log_name;
  const auto fresh = folder_ / (std::string(recording_log_name) + ".new");
  std::string entries;
  for (const auto& recording : recordings) entries += log_entry(recording);
  Descriptor file(::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!file) return failed("creating", fresh);
  if (!write_all(file.get(), as_bytes(entries)) || ::fdatasync(file.get()) != 0) {
    return failed("writing", fresh);
  }
  if (::rename(fresh.c_str(), target.c_str()) != 0) return failed("renaming", fresh);
  if (!sync_folder(folder_)) return failed("syncing", folder_);
  file_ = std::move(file);
  base_bytes_ = size_bytes_ = entries.size();
  return {};
}

Result<void> RecordingLog::append(const std::string& entry) {
  const std::lock_guard lock(mutex_);
  const auto path = folder_ / recording_log_name;
  if (!file_) return Errc::io_error;
  if (write_all(file_.get(), as_bytes(entry)) && ::fdatasync(file_.get()) == 0) {
    size_bytes_ += entry.size();
    return {};
  }
  const auto why = failed("writing", path);
  file_ = Descriptor();
  return why;
}

bool RecordingLog::wants_rewrite() const {
  const std::lock_guard lock(mutex_);
  return !file_ || size_bytes_ > 2 * base_bytes_ + slack_bytes;
}

Result<RecordingLogContents> read_recording_log(const std::filesystem::path& folder) {
  RecordingLogContents out;
  const auto path = folder / recording_log_name;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return out;
  if (!file) return errc_of(errno);
  const auto bytes = read_whole(file.get());
  if (!bytes) return bytes.error();
  for (ByteSpan left(*bytes); !left.empty();) {
    if (const auto block = decode_block(no_nonce, left)) {
      take(out, *block);
      left = left.subspan(block->size_bytes);
    } else {
      ++out.bad_bytes;
      left = left.subspan(1);
    }
  }
  return out;
}

}  // namespace lookback::store
