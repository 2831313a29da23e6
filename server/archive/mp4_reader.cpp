#include "server/archive/mp4_reader.hpp"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "packager/mp4/moof_reader.hpp"

namespace lookback::server {
namespace {

using store::SegmentRecord;

constexpr std::size_t whole_read_bytes = 8 << 10;    // copied at once rather than part by part
constexpr std::size_t whole_fetch_bytes = 64 << 10;  // fetched from the disk at once: audio
constexpr std::size_t guessed_head_bytes = 512;      // 24 pictures with every field
constexpr std::size_t segments_ahead = 256;
constexpr std::size_t max_files = 4;

/// Errors of the boxes mean that the store's bytes are not what was put there.
Result<void> as_damage(const Result<void>& result) {
  if (!result) return store::Errc::damaged;
  return {};
}

}  // namespace

Result<Mp4Reader::File> Mp4Reader::open(std::uint64_t extent) {
  for (const auto& [id, file] : files_)
    if (id == extent) return file;
  auto file = store_.extent(extent);
  if (!file) return file.error();
  if (files_.size() == max_files) files_.erase(files_.begin());
  files_.emplace_back(extent, *file);
  return std::move(*file);
}

/// Asks the disk for the heads of coming parts, without waiting.
void Mp4Reader::read_ahead() {
  const auto end = std::min(segments_.size(), next_ + segments_ahead);
  for (asked_ = std::max(asked_, next_); asked_ < end; ++asked_) {
    const auto& segment = *segments_[asked_];
    const auto file = open(segment.extent);
    if (!file) continue;  // `next` will meet it and tell
    const int descriptor = (*file)->descriptor();
    auto offset = static_cast<off_t>(segment.offset);
    if (segment.size_bytes <= whole_fetch_bytes) {
      ::posix_fadvise(descriptor, offset, segment.size_bytes, POSIX_FADV_WILLNEED);
      continue;
    }
    for (const auto& part : segment.parts) {
      ::posix_fadvise(descriptor, offset, std::min<off_t>(part.size_bytes, guessed_head_bytes),
                      POSIX_FADV_WILLNEED);
      offset += part.size_bytes;
    }
  }
}

/// Exactly `size` bytes, valid until the next read.
Result<ByteSpan> Mp4Reader::read(const store::ExtentFile& file, std::uint64_t offset, std::size_t size) {
  if (buffer_.size() < size) buffer_.resize(size);
  int flags = RWF_NOWAIT;
  for (std::size_t done = 0; done < size;) {
    iovec vector{buffer_.data() + done, size - done};
    const auto count = ::preadv2(file.descriptor(), &vector, 1, static_cast<off_t>(offset + done), flags);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0 && flags == 0) {
      return store::Errc::damaged;
    } else if (count < 0 && flags == 0 && errno != EINTR) {
      return store::Errc::io_error;
    } else if (flags != 0) {  // not in the page cache, or the file system cannot tell
      flags = 0;
      if (asked_ <= next_ + segments_ahead / 2) read_ahead();
    }
  }
  return ByteSpan(buffer_).first(size);
}

Result<void> Mp4Reader::read_whole(const store::ExtentFile& file, const SegmentRecord& segment,
                                   packager::SampleTable& table) {
  const auto bytes = read(file, segment.offset, segment.size_bytes);
  if (!bytes) return bytes.error();
  std::uint32_t offset = 0;
  for (const auto& part : segment.parts) {
    const auto added =
        packager::read_part(bytes->subspan(offset, part.size_bytes), part.size_bytes, offset, table);
    if (!added) return as_damage(added);
    offset += part.size_bytes;
  }
  return {};
}

Result<void> Mp4Reader::read_parts(const store::ExtentFile& file, const SegmentRecord& segment,
                                   packager::SampleTable& table) {
  std::uint32_t offset = 0;
  for (const auto& part : segment.parts) {
    const auto guess = std::min<std::size_t>(part.size_bytes, guessed_head_bytes);
    auto head = read(file, segment.offset + offset, guess);
    if (!head) return head.error();
    const auto needed = packager::part_head_bytes(*head, part.size_bytes);
    if (!needed) return store::Errc::damaged;
    if (*needed > guess) head = read(file, segment.offset + offset, *needed);
    if (!head) return head.error();
    const auto added = packager::read_part(*head, part.size_bytes, offset, table);
    if (!added) return as_damage(added);
    offset += part.size_bytes;
  }
  return {};
}

Result<void> Mp4Reader::next(packager::SampleTable& table) {
  table.clear();
  const auto& segment = *segments_[next_];
  std::uint64_t sum = 0;
  for (const auto& part : segment.parts) sum += part.size_bytes;
  auto result = Result<void>(store::Errc::damaged);
  if (sum == segment.size_bytes) {
    const auto file = open(segment.extent);
    result = !file                                    ? Result<void>(file.error())
             : segment.size_bytes <= whole_read_bytes ? read_whole(**file, segment, table)
                                                      : read_parts(**file, segment, table);
  }
  ++next_;
  if (result && table.samples.empty()) return store::Errc::damaged;
  return result;
}

}  // namespace lookback::server
