#include "store/extent_scan.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "store/base/crc32c.hpp"
#include "store/base/errc.hpp"
#include "store/catalog.hpp"
#include "store/codec.hpp"
#include "store/file.hpp"
#include "store/system_error.hpp"

namespace lookback::store {
namespace {

constexpr std::uint64_t window_bytes = 1 << 20;
/// What is stepped over where the disk gives nothing: a page.
constexpr std::uint64_t unreadable_bytes = 4096;

/// What a block of this extent begins with.
std::string needle_of(const ExtentHeader::Nonce& nonce) {
  auto block = encode_block(nonce, BlockType::stream, {});
  block.resize(block_mark_bytes);
  return block;
}

}  // namespace

Result<ExtentReader> ExtentReader::open(const std::filesystem::path& path) {
  ExtentReader reader;
  reader.file_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!reader.file_ || ::fstat(reader.file_.get(), &status) != 0)
    return errno == ENOENT ? Errc::not_found : errc_of(errno);
  reader.size_ = static_cast<std::uint64_t>(status.st_size);
  ::posix_fadvise(reader.file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return reader;
}

std::vector<std::byte> ExtentReader::read(std::uint64_t offset, std::size_t size) const {
  const auto left = size_ - std::min(size_, offset);
  return read_range(file_.get(), offset, static_cast<std::size_t>(std::min<std::uint64_t>(size, left)));
}

ExtentReader::Check ExtentReader::check(const SegmentRecord& segment) const {
  Check out;
  out.whole = true;
  const bool has_checksums =
      std::ranges::any_of(segment.parts, [](const auto& part) { return part.crc32c != 0; });
  std::uint32_t whole = 0;
  auto at = segment.offset;
  for (const auto& part : segment.parts) {
    std::uint32_t crc = 0;
    std::uint64_t done = 0;
    while (done < part.size_bytes) {
      const auto bytes = read(
          at + done, static_cast<std::size_t>(std::min<std::uint64_t>(window_bytes, part.size_bytes - done)));
      if (bytes.empty()) break;
      crc = crc32c(bytes, crc);
      done += bytes.size();
    }
    out.good.push_back(done == part.size_bytes && (!has_checksums || crc == part.crc32c));
    out.whole = out.whole && out.good.back();
    whole = crc32c_combine(whole, crc, part.size_bytes);
    at += part.size_bytes;
  }
  out.whole = out.whole && whole == segment.crc32c;
  return out;
}

bool ExtentReader::check(const SheetRecord& sheet) const {
  const auto bytes = read(sheet.offset, sheet.size_bytes);
  return bytes.size() == sheet.size_bytes && crc32c(bytes) == sheet.crc32c;
}

std::optional<ExtentReader::OwnedBlock> ExtentReader::block_at(const ExtentHeader::Nonce& nonce,
                                                               std::uint64_t offset) const {
  const auto size = block_size(nonce, read(offset, block_head_bytes));
  if (!size || *size > size_ - std::min(size_, offset)) return std::nullopt;
  OwnedBlock out{.bytes = read(offset, *size), .block = {}};
  const auto block = decode_block(nonce, out.bytes);
  if (!block) return std::nullopt;
  out.block = *block;
  return out;
}

bool ExtentReader::was_block(const ExtentHeader::Nonce& nonce, std::uint64_t offset) const {
  const auto needle = needle_of(nonce);
  const auto bytes = read(offset, needle.size());
  if (bytes.size() < needle.size()) return false;
  const auto text = as_text(bytes);
  const auto split = needle.size() - nonce.size();
  return text.substr(0, split) == needle.substr(0, split) || text.substr(split) == needle.substr(split);
}

std::uint64_t ExtentReader::find_block(const ExtentHeader::Nonce& nonce, std::uint64_t from,
                                       std::uint64_t end) const {
  const auto needle = needle_of(nonce);
  while (from + needle.size() <= end) {
    const auto size = std::min<std::uint64_t>(window_bytes, end - from);
    const auto bytes = read(from, static_cast<std::size_t>(size));
    if (const auto found = as_text(bytes).find(needle); found != std::string_view::npos) return from + found;
    if (bytes.size() < size)
      from += bytes.size() + unreadable_bytes;
    else if (from + size == end)
      break;
    else
      from += size - (needle.size() - 1);
  }
  return end;
}

std::optional<ExtentReader::Head> ExtentReader::head() const {
  if (const auto header = decode_extent_header(read(0, extent_header_bytes)))
    return Head{.header = *header, .good = true};
  // Only the first block may vouch for the nonce: media begins behind it.
  const auto bytes = read(extent_header_bytes, block_head_bytes);
  if (bytes.size() < block_mark_bytes) return std::nullopt;
  Head out;
  std::copy_n(bytes.begin() + (block_mark_bytes - out.header.nonce.size()), out.header.nonce.size(),
              out.header.nonce.begin());
  if (!block_at(out.header.nonce, extent_header_bytes)) return std::nullopt;
  return out;
}

void ExtentReader::forget() const { ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED); }

namespace {

/// One walk over an extent's blocks.
class Scan {
 public:
  Scan(const ExtentReader& reader, ExtentReader::Head head, std::uint64_t id, const ScanProgress& progress)
      : reader_(reader), progress_(progress) {
    out_.header = head.header;
    out_.header_good = head.good;
    out_.header.id = id;
    media_ = out_.end = extent_header_bytes;
  }

  ExtentContents run() {
    const auto end = reader_.size_bytes();
    std::uint64_t told = 0;
    for (auto at = out_.end; at < end;) {
      at = reader_.find_block(out_.header.nonce, at, end);
      if (at >= end) break;
      const auto block = reader_.block_at(out_.header.nonce, at);
      if (block && take(block->block, at)) {
        at += block->block.size_bytes;
        out_.end = at;
      } else {
        at += 1;
      }
      if (progress_) progress_(at - std::exchange(told, at));
    }
    if (progress_) progress_(end - std::min(told, end));
    return std::move(out_);
  }

 private:
  bool take(const Block& block, std::uint64_t at) {
    switch (block.type) {
      case BlockType::stream:
        return keep(out_.streams, decode_stream(block.payload));
      case BlockType::track:
        return keep(out_.tracks, decode_track(block.payload));
      case BlockType::init:
        return keep(out_.inits, decode_init(block.payload));
      case BlockType::segment:
        return take_segment(block, at);
      case BlockType::sheet:
        return take_sheet(block, at);
      case BlockType::recording:
      case BlockType::recording_erased:
        break;  // in no extent
    }
    return false;
  }

  template <class Record>
  static bool keep(std::vector<Record>& to, Result<Record> record) {
    if (record) to.push_back(std::move(*record));
    return record.has_value();
  }

  bool take_sheet(const Block& block, std::uint64_t at) {
    const auto sheet = decode_sheet(block.payload);
    if (!sheet || sheet->extent != out_.header.id || sheet->offset + sheet->size_bytes != at ||
        sheet->offset < media_)
      return false;
    if (!out_.header_good) {
      out_.header.stream = sheet->key.stream;
      out_.header.track = sheet_track;
      out_.header.timescale = 1;
    }
    if (sheet->key.stream != out_.header.stream || out_.header.track != sheet_track) return false;
    media_ = at + block.size_bytes;
    if (reader_.check(*sheet)) out_.sheets.push_back(*sheet);
    return true;
  }

  bool take_segment(const Block& block, std::uint64_t at) {
    auto footer = decode_footer(block.payload);
    if (!footer || !footer->segment.complete) return false;
    if (!out_.header_good) {
      out_.header.stream = footer->stream;
      out_.header.track = footer->track;
      out_.header.timescale = footer->timescale;
    }
    if (footer->stream != out_.header.stream || footer->track != out_.header.track) return false;
    auto& segment = footer->segment;
    if (segment.extent != 0) {
      if (segment.extent != out_.header.id || segment.offset + segment.size_bytes != at ||
          segment.offset < media_)
        return false;
      media_ = at + block.size_bytes;
      if (!reader_.check(segment).whole) {
        segment = as_gap(std::move(segment));
        ++out_.segments_damaged;
      }
    }
    out_.segments.push_back(std::move(segment));
    return true;
  }

  const ExtentReader& reader_;
  const ScanProgress& progress_;
  ExtentContents out_;
  std::uint64_t media_ = 0;  ///< end of the last segment's block
};

}  // namespace

Result<ExtentContents> scan_extent(const std::filesystem::path& path, std::uint64_t id,
                                   const ScanProgress& progress) {
  const auto reader = ExtentReader::open(path);
  if (!reader) return reader.error();
  const auto head = reader->head();
  if (!head) return Errc::damaged;
  auto contents = Scan(*reader, *head, id, progress).run();
  reader->forget();
  return contents;
}

}  // namespace lookback::store
