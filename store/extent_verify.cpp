#include "store/extent_verify.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/errc.hpp"
#include "store/catalog.hpp"
#include "store/codec.hpp"

namespace lookback::store {

void ExtentVerify::run() {
  const auto reader = ExtentReader::open(path_);
  if (!reader) {
    add(Finding::Kind::extent, 0, 0,
        reader.error() == Errc::not_found ? "the extent file is missing"
                                          : "the extent file cannot be opened");
    for (const auto& segment : segments_)
      add(Finding::Kind::segment, segment.offset, segment.size_bytes, "its extent cannot be read", &segment);
    return;
  }
  if (extent_.sealed && reader->size_bytes() < extent_.size_bytes) {
    add(Finding::Kind::extent, reader->size_bytes(), extent_.size_bytes - reader->size_bytes(),
        "the extent file is too short");
  }
  check_header(*reader);
  std::uint64_t at = extent_header_bytes;
  for (const auto& segment : segments_) {
    at = check_between(*reader, at, segment.offset);
    at = check_segment(*reader, segment);
  }
  const auto end = std::min(extent_.size_bytes, reader->size_bytes());
  if (at < end) check_between(*reader, at, end);
  reader->forget();
}

void ExtentVerify::check_header(const ExtentReader& reader) {
  const auto head = reader.head();
  if (head) header_ = head->header;
  const bool right = head && head->good && head->header.id == extent_.key.id &&
                     head->header.stream == extent_.key.stream && head->header.track == extent_.key.track;
  if (!right) add(Finding::Kind::block, 0, extent_header_bytes, "the extent's header is damaged");
}

/// Where the segment and its block end.
std::uint64_t ExtentVerify::check_segment(const ExtentReader& reader, const SegmentRecord& segment) {
  // The index has no checksums of a complete segment's parts; the block that ends it tells which part is bad.
  const auto footer = footer_of(reader, segment);
  const auto check = reader.check(footer ? footer->segment : segment);
  auto at = segment.offset;
  bool parts_good = true;
  for (std::size_t i = 0; i < segment.parts.size(); ++i) {
    const auto size = segment.parts[i].size_bytes;
    if (!check.good[i]) {
      parts_good = false;
      const bool is_there = at + size <= reader.size_bytes();
      add(Finding::Kind::segment, at, size,
          fmt::format("part {} {}", i, is_there ? "does not match its checksum" : "is not there"), &segment);
    }
    at += size;
  }
  if (parts_good && !check.whole)
    add(Finding::Kind::segment, segment.offset, segment.size_bytes, "does not match its checksum", &segment);
  if (progress_) progress_(segment.size_bytes);
  return segment.complete ? check_footer(reader, segment, at) : at;
}

/// The block that ends the segment, when it says the same as the index.
std::optional<SegmentFooter> ExtentVerify::footer_of(const ExtentReader& reader,
                                                     const SegmentRecord& segment) const {
  if (!header_) return std::nullopt;
  const auto found = reader.block_at(header_->nonce, segment.offset + segment.size_bytes);
  if (!found || found->block.type != BlockType::segment) return std::nullopt;
  auto footer = decode_footer(found->block.payload);
  if (!footer || !is_same_segment(footer->segment, segment)) return std::nullopt;
  return std::move(*footer);
}

/// What a crash left open is finished by the next start, so only what was durable must be there.
std::uint64_t ExtentVerify::check_footer(const ExtentReader& reader, const SegmentRecord& segment,
                                         std::uint64_t at) {
  if (!header_) return at;
  const auto found = reader.block_at(header_->nonce, at);
  if (found && footer_of(reader, segment)) return at + found->block.size_bytes;
  const auto expected = footer_block({.id = extent_.key.id,
                                      .stream = extent_.key.stream,
                                      .track = extent_.key.track,
                                      .timescale = extent_.timescale,
                                      .nonce = header_->nonce},
                                     segment);
  const auto end = at + expected.size();
  if (extent_.sealed || end <= extent_.synced_bytes)
    add(Finding::Kind::block, at, expected.size(), "the block that ends it is damaged", &segment);
  return end;
}

/// Blocks, and what crashes and failed writes left. Returns `to`.
std::uint64_t ExtentVerify::check_between(const ExtentReader& reader, std::uint64_t from, std::uint64_t to) {
  if (progress_ && to > from) progress_(to - from);
  while (header_ && from < to) {
    if (const auto found = reader.block_at(header_->nonce, from)) {
      from += found->block.size_bytes;
      continue;
    }
    const auto next = reader.find_block(header_->nonce, from + 1, to);
    const bool durable = extent_.sealed || next <= extent_.synced_bytes;
    if (durable && reader.was_block(header_->nonce, from))
      add(Finding::Kind::block, from, next - from, "a block is damaged");
    from = next;
  }
  return to;
}

void ExtentVerify::add(Finding::Kind kind, std::uint64_t offset, std::uint64_t size_bytes, std::string what,
                       const SegmentRecord* segment) {
  Finding finding{.kind = kind, .extent = extent_.key.id, .offset = offset, .size_bytes = size_bytes};
  if (segment) finding.msn = segment->msn;
  finding.what = std::move(what);
  add_(std::move(finding));
}

}  // namespace lookback::store
