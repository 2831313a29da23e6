#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "store/extent_record.hpp"
#include "store/extent_scan.hpp"
#include "store/verify.hpp"

namespace lookback::store {

/// Compares one extent file with what the index says of it: every byte of its segments, and its blocks. Used
/// once, by one thread.
class ExtentVerify {
 public:
  /// `segments`: those in the extent, by offset. `add` takes what is wrong, `progress` the bytes read.
  ExtentVerify(std::filesystem::path path, const ExtentRecord& extent, std::vector<SegmentRecord> segments,
               std::function<void(Finding)> add, ScanProgress progress)
      : path_(std::move(path)),
        extent_(extent),
        segments_(std::move(segments)),
        add_(std::move(add)),
        progress_(std::move(progress)) {}

  void run();

 private:
  void check_header(const ExtentReader& reader);
  std::uint64_t check_segment(const ExtentReader& reader, const SegmentRecord& segment);
  std::optional<SegmentFooter> footer_of(const ExtentReader& reader, const SegmentRecord& segment) const;
  std::uint64_t check_footer(const ExtentReader& reader, const SegmentRecord& segment, std::uint64_t at);
  std::uint64_t check_between(const ExtentReader& reader, std::uint64_t from, std::uint64_t to);
  void add(Finding::Kind kind, std::uint64_t offset, std::uint64_t size_bytes, std::string what,
           const SegmentRecord* segment = nullptr);

  const std::filesystem::path path_;
  const ExtentRecord extent_;
  const std::vector<SegmentRecord> segments_;
  const std::function<void(Finding)> add_;
  const ScanProgress progress_;
  std::optional<ExtentHeader> header_;  ///< none: no block can be told from media
};

}  // namespace lookback::store
