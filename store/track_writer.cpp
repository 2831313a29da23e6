#include "store/track_writer.hpp"

#include <array>
#include <cassert>

#include "store/base/crc32c.hpp"
#include "store/base/errc.hpp"
#include "store/codec.hpp"

namespace lookback::store {
namespace {

/// Gaps that wait for an index, or an extent, that takes no writes; the oldest are given up beyond this.
constexpr std::size_t max_owed_records = 4096;
/// Room that a few blocks take.
constexpr std::uint64_t block_slack_bytes = 64 << 10;

}  // namespace

TrackWriter::TrackWriter(Core& core, StreamId stream, TrackId track)
    : core_(core), stream_(stream), track_(track) {
  if (const auto last = core_.catalog->last_segment(stream, track); last && last->has_value()) {
    last_complete_ = (*last)->msn;  // recovery has ended what was open
  }
  if (const auto known = core_.catalog->track(stream, track)) timescale_ = known->timescale;
}

Result<SegmentRecord> TrackWriter::add(const Append& append, Batch& batch) {
  if (last_complete_ && append.segment.msn <= *last_complete_) return Errc::closed;
  timescale_ = append.timescale;
  if (current_ && current_->msn != append.segment.msn) end_segment(batch);
  if (lost_) return lose(append.segment, lost_, batch);
  auto record = merged(append);
  if (!record) return lose(append.segment, record.error(), batch);
  if (auto written = write(*record, append); !written) return lose(append.segment, written.error(), batch);
  current_ = *record;
  if (!record->complete) {
    store(*record, batch);
    return record;
  }
  end_segment(batch);
  return without_part_checksums(std::move(*record));  // as the index has it
}

/// The record with what is stored already, and checksums and sizes of the new part.
Result<SegmentRecord> TrackWriter::merged(const Append& append) const {
  auto record = append.segment;
  const auto known = current_ ? current_->parts.size() : 0;
  // A part in between never came here: it was refused when the queue was full.
  if (record.parts.size() != known + (append.bytes.empty() ? 0 : 1)) return Errc::queue_full;
  for (std::size_t i = 0; i < known; ++i) {
    record.parts[i].size_bytes = current_->parts[i].size_bytes;
    record.parts[i].crc32c = current_->parts[i].crc32c;
  }
  record.extent = current_ ? current_->extent : 0;
  record.offset = current_ ? current_->offset : 0;
  record.size_bytes = current_ ? current_->size_bytes : 0;
  record.crc32c = current_ ? current_->crc32c : 0;
  if (append.bytes.empty()) return record;

  const auto size = size_of(append.bytes);
  if (size > UINT32_MAX - record.size_bytes || record.parts.size() > max_parts) return Errc::io_error;
  std::uint32_t crc = 0;
  for (const auto& slice : append.bytes) crc = crc32c(slice.bytes, crc);
  record.parts.back().size_bytes = static_cast<std::uint32_t>(size);
  record.parts.back().crc32c = crc;
  record.size_bytes += static_cast<std::uint32_t>(size);
  record.crc32c = crc32c_combine(record.crc32c, crc, size);
  return record;
}

/// Bytes first, then the footer when the segment is complete, in one write.
Result<void> TrackWriter::write(SegmentRecord& record, const Append& append) {
  if (append.bytes.empty() && record.extent == 0) return {};
  std::string init, footer;
  if (record.extent == 0) {
    write_gaps();
    if (auto ready = ensure_extent(record, append.timescale); !ready) return ready;
    init = init_block(record.init_id);
    record.extent = extent_->header().id;
    record.offset = extent_->size_bytes() + init.size();
  }
  assert(extent_ &&
         extent_->header().id == record.extent);  // whoever closes an extent loses or ends its segment
  if (record.complete) footer = footer_block(extent_->header(), record);

  std::vector<ByteSpan> pieces{as_bytes(init)};
  for (const auto& slice : append.bytes) pieces.push_back(slice.bytes);
  pieces.push_back(as_bytes(footer));
  const auto before = extent_->size_bytes();
  if (auto written = extent_->write(pieces, core_.options.log); !written) {
    if (written.error() != Errc::reserve_reached) close_extent();
    return written;
  }
  core_.space.wrote(extent_->size_bytes() - before);
  inits_in_extent_.insert(record.init_id);
  end_pdt_us_ = store::end_pdt_us(record, extent_->header().timescale);
  core_.extents->advance({stream_, track_, extent_->header().id}, extent_->size_bytes(), record.msn,
                         end_pdt_us_);
  return {};
}

Result<void> TrackWriter::ensure_extent(const SegmentRecord& first, std::uint32_t timescale) {
  if (extent_) {
    const auto duration = static_cast<std::int64_t>(timescale) * core_.options.extent_duration.count();
    const bool old = first.start - extent_start_ >= duration || first.start < extent_start_;
    if (!old && extent_->size_bytes() < core_.options.extent_size_bytes &&
        extent_->header().timescale == timescale) {
      return {};
    }
    close_extent();
  }
  return open_extent(first, timescale);
}

Result<void> TrackWriter::open_extent(const SegmentRecord& first, std::uint32_t timescale) {
  const ExtentHeader header{.id = core_.extents->next_id(),
                            .stream = stream_,
                            .track = track_,
                            .timescale = timescale,
                            .nonce = make_nonce()};
  std::string preface;
  if (const auto stream = core_.catalog->stream(stream_)) {
    preface += encode_block(header.nonce, BlockType::stream, encode(*stream));
  }
  if (const auto track = core_.catalog->track(stream_, track_)) {
    preface += encode_block(header.nonce, BlockType::track, encode(*track));
  }
  auto writer = ExtentWriter::create(core_.folder, header, preface, core_.options.log);
  if (!writer) return writer.error();
  const ExtentRecord record{.key = {stream_, track_, header.id},
                            .timescale = timescale,
                            .first_msn = first.msn,
                            .last_msn = first.msn,
                            .start_pdt_us = first.pdt_us,
                            .end_pdt_us = first.pdt_us,
                            .size_bytes = writer->size_bytes(),
                            .synced_bytes = 0,
                            .sealed = false};
  if (auto added = core_.extents->add(record, writer->descriptor()); !added) {
    core_.cache.unlink(header.id, core_.options.log);
    return added;
  }
  extent_ = std::move(*writer);
  extent_start_ = first.start;
  inits_in_extent_.clear();
  return {};
}

/// The init that the segment names, unless this extent has it.
std::string TrackWriter::init_block(std::uint32_t init_id) const {
  if (init_id == 0 || inits_in_extent_.contains(init_id)) return {};
  const auto init = core_.catalog->init(stream_, track_, init_id);
  return init ? encode_block(extent_->header().nonce, BlockType::init, encode(*init)) : std::string();
}

boost::system::error_code TrackWriter::lose(const SegmentRecord& segment, boost::system::error_code why,
                                            Batch& batch) {
  if (last_complete_ && segment.msn <= *last_complete_) return why;
  if (current_ && current_->msn != segment.msn) end_segment(batch);
  current_ = as_gap(segment);
  lost_ = why;
  if (segment.complete) end_segment(batch);
  return why;
}

/// Completes the current segment: with the parts it has, or as a gap.
void TrackWriter::end_segment(Batch& batch) {
  auto record = std::move(*current_);
  current_.reset();
  lost_.clear();
  last_complete_ = record.msn;
  if (!record.complete && record.extent != 0) {
    record.complete = true;
    const auto footer = footer_block(extent_->header(), record);
    const std::array pieces{as_bytes(footer)};
    if (auto written = extent_->write(pieces, core_.options.log)) {
      core_.extents->advance({stream_, track_, record.extent}, extent_->size_bytes(), record.msn,
                             end_pdt_us_);
    } else {
      close_extent();  // the index has the segment; only a rebuild of the index would miss it
    }
  }
  record.complete = true;
  if (ended_.size() >= max_owed_records) ended_.erase(ended_.begin());
  ended_.push_back(record);
  store(record, batch);
  if (record.extent != 0) return;
  owe(record);
  write_gaps();
}

void TrackWriter::owe(const SegmentRecord& gap) {
  if (owed_gaps_.size() >= max_owed_records) owed_gaps_.erase(owed_gaps_.begin());
  owed_gaps_.push_back(gap);
}

/// Between two segments: a segment's bytes stay together. What cannot be written now stays owed.
void TrackWriter::write_gaps() {
  if (owed_gaps_.empty() || timescale_ == 0 || core_.space.shortage(block_slack_bytes) > 0) return;
  if (!ensure_extent(owed_gaps_.front(), timescale_)) return;  // logged there
  std::string blocks;
  for (const auto& gap : owed_gaps_) blocks += footer_block(extent_->header(), gap);
  const std::array pieces{as_bytes(blocks)};
  if (auto written = extent_->write(pieces, core_.options.log); !written) {
    if (written.error() != Errc::reserve_reached) close_extent();
    return;
  }
  core_.space.wrote(blocks.size());
  const auto& newest = owed_gaps_.back();
  end_pdt_us_ = store::end_pdt_us(newest, timescale_);
  core_.extents->advance({stream_, track_, extent_->header().id}, extent_->size_bytes(), newest.msn,
                         end_pdt_us_);
  owed_gaps_.clear();
}

void TrackWriter::store(const SegmentRecord& record, Batch& batch) {
  if (std::exchange(retry_ended_, false)) {
    for (const auto& owed : ended_) put(batch, stream_, track_, owed);
  }
  put(batch, stream_, track_, record);
}

void TrackWriter::commit_failed(boost::system::error_code why) {
  for (auto& record : ended_) {
    const bool has_bytes = record.extent != 0;
    record = as_gap(std::move(record));
    if (has_bytes) owe(record);
  }
  retry_ended_ = true;
  if (!current_ || lost_) return;
  current_ = as_gap(std::move(*current_));
  lost_ = why;
}

void TrackWriter::abandon(std::uint64_t extent, boost::system::error_code why) {
  if (current_ && current_->extent == extent) {
    current_ = as_gap(std::move(*current_));
    lost_ = why;
  }
  if (extent_ && extent_->header().id == extent) close_extent();
}

void TrackWriter::close(Batch& batch) {
  if (current_) end_segment(batch);
  write_gaps();
  close_extent();
}

void TrackWriter::close_extent() {
  if (!extent_) return;
  extent_->finish(core_.options.log);
  core_.extents->close({stream_, track_, extent_->header().id});
  extent_.reset();
}

}  // namespace lookback::store
