#include "store/extent_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/base/crc32c.hpp"
#include "store/base/errc.hpp"
#include "store/system_error.hpp"

namespace lookback::store {
namespace {

/// Bytes of a file, or fewer where it ends or cannot be read.
std::vector<std::byte> read(int file, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const auto count = ::pread(file, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace

Result<std::optional<ExtentCheck::Outcome>> ExtentCheck::run(Batch& batch) {
  if (auto opened = open(); !opened) return opened.error();
  auto kept = segments();
  if (!kept) return kept.error();
  for (auto& segment : *kept) settle(segment, &segment == &kept->back(), batch);
  std::erase_if(*kept, [](const auto& segment) { return segment.extent == 0; });
  if (kept->empty()) return std::optional<Outcome>();
  write_footers(*kept);
  if (auto cut = cut_tail(end_); !cut) return cut.error();
  extent_.last_msn = kept->back().msn;
  extent_.end_pdt_us = end_pdt_us(kept->back(), extent_.timescale);
  extent_.size_bytes = end_;
  extent_.synced_bytes = std::min(extent_.synced_bytes, end_);
  return std::optional(Outcome{extent_, file_});
}

Result<void> ExtentCheck::open() {
  const auto path = core_.folder.extent_path(extent_.key.id);
  Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    core_.options.log(describe("opening " + path.string(), errno));
    return errc_of(errno);
  }
  file_size_ = static_cast<std::uint64_t>(status.st_size);
  const auto header = decode_extent_header(read(file.get(), 0, extent_header_bytes));
  if (header && header->id == extent_.key.id)
    header_ = *header;
  else
    core_.options.log(path.string() +
                      " has no valid header: its segments are kept, but are not found by a repair");
  file_ = std::make_shared<const Descriptor>(std::move(file));
  return {};
}

/// The segments that may not be durable, and at least one before them when there is one.
Result<std::vector<SegmentRecord>> ExtentCheck::segments() const {
  const auto span = extent_.last_msn - extent_.first_msn;
  for (std::uint64_t back = 2;; back *= 8) {
    const auto from = back < span ? extent_.last_msn - back : extent_.first_msn;
    auto found = segments_from(from);
    if (!found || from == extent_.first_msn) return found;
    if (!found->empty() && is_durable(found->front().offset + found->front().size_bytes)) return found;
  }
}

Result<std::vector<SegmentRecord>> ExtentCheck::segments_from(std::uint64_t msn) const {
  std::vector<SegmentRecord> out;
  const auto visited = core_.catalog->visit_segments(
      extent_.key.stream, extent_.key.track, msn, UINT64_MAX, [&](const SegmentRecord& segment) {
        if (segment.extent == extent_.key.id) out.push_back(segment);
        return segment.extent <= extent_.key.id;  // extents of a track follow each other
      });
  if (!visited) return visited.error();
  return out;
}

bool ExtentCheck::is_durable(std::uint64_t end) const {
  return end <= std::min(extent_.synced_bytes, file_size_);
}

/// Afterwards the segment is complete and as its bytes are, or has no bytes.
void ExtentCheck::settle(SegmentRecord& segment, bool is_last, Batch& batch) {
  const auto& key = extent_.key;
  const auto good = good_parts(segment);
  const bool whole = good == segment.parts.size();
  if (whole && segment.complete) return;
  report_.parts_lost += segment.parts.size() - good;
  if (segment.complete || good == 0) {
    // It was listed whole, so it must not come back shorter: a gap of the same length.
    report_.segments_lost += 1;
    const bool forget = is_last && !segment.complete;
    segment = as_gap(std::move(segment));
    segment.complete = true;
    if (forget)
      erase_segments(batch, key.stream, key.track, segment.msn, segment.msn + 1);
    else
      put(batch, key.stream, key.track, segment);
    return;
  }
  if (!whole) {
    keep_parts(segment, good);
    report_.segments_cut += 1;
  }
  segment.complete = true;
  segment.duration = 0;
  for (const auto& part : segment.parts) segment.duration += part.duration;
  report_.segments_closed += 1;
  put(batch, key.stream, key.track, segment);
}

/// How many of the first parts are in the file as they should be. What was durable before the crash is not
/// read.
std::size_t ExtentCheck::good_parts(const SegmentRecord& segment) const {
  if (is_durable(segment.offset + segment.size_bytes)) return segment.parts.size();
  auto at = segment.offset;
  std::size_t good = 0;
  for (const auto& part : segment.parts) {
    if (at + part.size_bytes > file_size_) break;
    if (crc32c(read(file_->get(), at, part.size_bytes)) != part.crc32c) break;
    at += part.size_bytes;
    ++good;
  }
  return good;
}

void ExtentCheck::keep_parts(SegmentRecord& segment, std::size_t count) const {
  segment.parts.resize(count);
  segment.size_bytes = segment.crc32c = 0;
  for (const auto& part : segment.parts) {
    const auto bytes = read(file_->get(), segment.offset + segment.size_bytes, part.size_bytes);
    segment.crc32c = crc32c(bytes, segment.crc32c);
    segment.size_bytes += part.size_bytes;
  }
}

/// Writes footers that are not there, where there is room for them, and finds the end of what is kept.
void ExtentCheck::write_footers(std::vector<SegmentRecord>& segments) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto end = segments[i].offset + segments[i].size_bytes;
    end_ = std::max(end_, end);
    found_end_ = std::max(found_end_, end);
    if (!header_) continue;
    const auto footer = footer_block(*header_, segments[i]);
    if (i + 1 < segments.size() && segments[i + 1].offset < end + footer.size()) continue;
    end_ = std::max(end_, end + footer.size());
    if (is_durable(end + footer.size()) ||
        std::ranges::equal(read(file_->get(), end, footer.size()), as_bytes(footer))) {
      found_end_ = std::max(found_end_, end + footer.size());
      continue;
    }
    if (::pwrite(file_->get(), footer.data(), footer.size(), static_cast<off_t>(end)) !=
        static_cast<ssize_t>(footer.size())) {
      core_.options.log(describe("writing the end of segment " + std::to_string(segments[i].msn) + " to " +
                                     extent_name(extent_.key.id),
                                 errno));
      end_ = end;
    }
    extent_.synced_bytes = std::min(extent_.synced_bytes, end);
  }
}

Result<void> ExtentCheck::cut_tail(std::uint64_t end) {
  if (file_size_ > found_end_) report_.bytes_cut += file_size_ - found_end_;
  // Also when the size is right: gives back what was allocated ahead.
  if (::ftruncate(file_->get(), static_cast<off_t>(end)) == 0) return {};
  core_.options.log(describe("cutting " + extent_name(extent_.key.id) + " to " + std::to_string(end), errno));
  return errc_of(errno);
}

}  // namespace lookback::store
