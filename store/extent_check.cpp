#include "store/extent_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "store/base/crc32c.hpp"
#include "store/base/errc.hpp"
#include "store/file.hpp"
#include "store/system_error.hpp"

namespace lookback::store {

Result<std::optional<ExtentCheck::Outcome>> ExtentCheck::run(Batch& batch) {
  if (auto opened = open(); !opened) return opened.error();
  auto kept = segments();
  if (!kept) return kept.error();
  if (!header_) mend_header(*kept);
  const auto from = kept->empty() ? extent_.first_msn : kept->front().msn;
  for (auto& segment : *kept) settle(segment, &segment == &kept->back(), batch);
  std::vector<SegmentRecord> lost;
  std::erase_if(*kept, [&](const auto& segment) {
    if (segment.extent == 0 && segment.msn != forgotten_) lost.push_back(segment);
    return segment.extent == 0;
  });
  const auto gapped = gaps(from, lost);
  if (!gapped) return gapped.error();
  if (kept->empty() && (gapped->empty() || !header_)) return std::optional<Outcome>();
  write_footers(*kept);
  write_gaps(*gapped);
  if (auto cut = cut_tail(end_); !cut) return cut.error();
  extent_.last_msn = extent_.first_msn;
  extent_.end_pdt_us = extent_.start_pdt_us;
  for (const std::vector<SegmentRecord>* records : {&std::as_const(*kept), &*gapped}) {
    if (records->empty()) continue;
    extent_.last_msn = std::max(extent_.last_msn, records->back().msn);
    extent_.end_pdt_us = std::max(extent_.end_pdt_us, end_pdt_us(records->back(), extent_.timescale));
  }
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
  const auto header = decode_extent_header(read_range(file.get(), 0, extent_header_bytes));
  if (header && header->id == extent_.key.id) header_ = *header;
  file_ = std::make_shared<const Descriptor>(std::move(file));
  return {};
}

/// A header that did not reach the disk is written anew, with the nonce of a block that did. Was it durable
/// once, then the disk has damaged it, and only a repair looks at the whole extent.
void ExtentCheck::mend_header(const std::vector<SegmentRecord>& segments) {
  const auto path = core_.folder.extent_path(extent_.key.id).string();
  if (extent_.synced_bytes != 0) {
    core_.options.log(path + " has no valid header: `lookback store repair` mends it");
    return;
  }
  ExtentHeader header{.id = extent_.key.id,
                      .stream = extent_.key.stream,
                      .track = extent_.key.track,
                      .timescale = extent_.timescale,
                      .nonce = make_nonce()};
  std::vector<std::uint64_t> places{extent_header_bytes};
  for (const auto& segment : segments) places.push_back(segment.offset + segment.size_bytes);
  for (const auto at : places) {
    const auto nonce = nonce_at(at);
    if (!nonce) continue;
    header.nonce = *nonce;
    break;
  }
  const auto bytes = encode(header);
  if (::pwrite(file_->get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()))
    header_ = header;
  else
    core_.options.log(describe("writing the header of " + path, errno));
}

/// The nonce of the block that stands there.
std::optional<ExtentHeader::Nonce> ExtentCheck::nonce_at(std::uint64_t offset) const {
  auto bytes = read_range(file_->get(), offset, block_head_bytes);
  if (bytes.size() < block_head_bytes) return std::nullopt;
  ExtentHeader::Nonce nonce;
  std::copy_n(bytes.begin() + (block_mark_bytes - nonce.size()), nonce.size(), nonce.begin());
  const auto size = block_size(nonce, bytes);
  if (!size) return std::nullopt;
  bytes = read_range(file_->get(), offset, *size);
  return decode_block(nonce, bytes) ? std::optional(nonce) : std::nullopt;
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
    if (forget) forgotten_ = segment.msn;
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
  if (segment.complete) return is_whole(segment) ? segment.parts.size() : 0;
  auto at = segment.offset;
  std::size_t good = 0;
  for (const auto& part : segment.parts) {
    if (at + part.size_bytes > file_size_) break;
    if (crc32c(read_range(file_->get(), at, part.size_bytes)) != part.crc32c) break;
    at += part.size_bytes;
    ++good;
  }
  return good;
}

bool ExtentCheck::is_whole(const SegmentRecord& segment) const {
  auto at = segment.offset;
  std::uint32_t crc = 0;
  for (const auto& part : segment.parts) {
    const auto bytes = read_range(file_->get(), at, part.size_bytes);
    if (bytes.size() != part.size_bytes) return false;
    crc = crc32c(bytes, crc);
    at += part.size_bytes;
  }
  return crc == segment.crc32c;
}

/// Size of the block that ends the segment, where it should stand; 0: it does not.
std::uint64_t ExtentCheck::footer_size(const SegmentRecord& segment) const {
  const auto at = segment.offset + segment.size_bytes;
  auto bytes = read_range(file_->get(), at, block_head_bytes);
  const auto size = block_size(header_->nonce, bytes);
  if (!size) return 0;
  bytes = read_range(file_->get(), at, *size);
  const auto block = decode_block(header_->nonce, bytes);
  if (!block || block->type != BlockType::segment) return 0;
  const auto footer = decode_footer(block->payload);
  return footer && is_same_segment(footer->segment, segment) ? *size : 0;
}

void ExtentCheck::keep_parts(SegmentRecord& segment, std::size_t count) const {
  segment.parts.resize(count);
  segment.size_bytes = segment.crc32c = 0;
  for (const auto& part : segment.parts) {
    const auto bytes = read_range(file_->get(), segment.offset + segment.size_bytes, part.size_bytes);
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
    if (const auto standing = footer_size(segments[i])) {
      end_ = std::max(end_, end + standing);
      found_end_ = std::max(found_end_, end + standing);
      continue;
    }
    const auto footer = footer_block(*header_, segments[i]);
    if (i + 1 < segments.size() && segments[i + 1].offset < end + footer.size()) continue;
    end_ = std::max(end_, end + footer.size());
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

/// Gaps among the segments from `from_msn` to the track's next extent, those in `made` among them: what a
/// rebuild of the index could not know otherwise.
Result<std::vector<SegmentRecord>> ExtentCheck::gaps(std::uint64_t from_msn,
                                                     const std::vector<SegmentRecord>& made) const {
  std::map<std::uint64_t, SegmentRecord> found;
  const auto visited = core_.catalog->visit_segments(
      extent_.key.stream, extent_.key.track, from_msn, end_msn_, [&](const SegmentRecord& segment) {
        if (segment.extent > extent_.key.id) return false;
        if (segment.extent != 0) return true;
        auto& gap = found[segment.msn] = segment;
        gap.gap = gap.complete = true;  // the last one may not have ended: recovery ends it
        return true;
      });
  if (!visited) return visited.error();
  for (const auto& gap : made) found[gap.msn] = gap;
  std::vector<SegmentRecord> out;
  for (auto& [msn, gap] : found) out.push_back(std::move(gap));
  return out;
}

/// Moves the end past the blocks that stand there; the numbers of gaps among them.
std::set<std::uint64_t> ExtentCheck::skip_blocks() {
  std::set<std::uint64_t> gaps;
  end_ = std::max<std::uint64_t>(end_, extent_header_bytes);
  for (;;) {
    auto bytes = read_range(file_->get(), end_, block_head_bytes);
    const auto size = block_size(header_->nonce, bytes);
    if (size) bytes = read_range(file_->get(), end_, *size);
    const auto block = size ? decode_block(header_->nonce, bytes) : Result<Block>(Errc::damaged);
    if (!block) break;
    if (block->type == BlockType::segment) {
      const auto footer = decode_footer(block->payload);
      if (!footer || footer->segment.extent != 0) break;
      gaps.insert(footer->segment.msn);
    }
    end_ += block->size_bytes;
    found_end_ = end_;
  }
  return gaps;
}

/// Gaps go behind everything else. Those between segments may be there already: twice is no harm.
void ExtentCheck::write_gaps(const std::vector<SegmentRecord>& gaps) {
  if (!header_) return;
  const auto known = skip_blocks();
  std::string blocks;
  for (const auto& gap : gaps) {
    if (!known.contains(gap.msn)) blocks += footer_block(*header_, gap);
  }
  if (blocks.empty()) return;
  if (::pwrite(file_->get(), blocks.data(), blocks.size(), static_cast<off_t>(end_)) !=
      static_cast<ssize_t>(blocks.size())) {
    core_.options.log(describe("writing gaps to " + extent_name(extent_.key.id), errno));
    return;
  }
  extent_.synced_bytes = std::min(extent_.synced_bytes, end_);
  end_ += blocks.size();
}

Result<void> ExtentCheck::cut_tail(std::uint64_t end) {
  if (file_size_ > found_end_) report_.bytes_cut += file_size_ - found_end_;
  // Also when the size is right: gives back what was allocated ahead.
  if (::ftruncate(file_->get(), static_cast<off_t>(end)) == 0) return {};
  core_.options.log(describe("cutting " + extent_name(extent_.key.id) + " to " + std::to_string(end), errno));
  return errc_of(errno);
}

}  // namespace lookback::store
