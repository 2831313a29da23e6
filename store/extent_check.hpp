#pragma once
#include <optional>
#include <vector>

#include "store/core.hpp"
#include "store/store.hpp"

namespace lookback::store {

/// Brings one extent that is not sealed, and its segments, to a state that is true: what did not reach the
/// disk is cut off, what the last run left open is closed. Used once, by recovery.
class ExtentCheck {
 public:
  /// Counts what it does in `report`.
  ExtentCheck(Core& core, const ExtentRecord& extent, RecoveryReport& report)
      : core_(core), extent_(extent), report_(report) {}

  /// Adds changes of segment records to `batch`. The extent as it is now, with its file for the sync that
  /// seals it; nothing when no segment is left in it. Errors: io_error, damaged (the index).
  struct Outcome {
    ExtentRecord record;
    SharedDescriptor file;
  };
  Result<std::optional<Outcome>> run(Batch& batch);

 private:
  Result<void> open();
  Result<std::vector<SegmentRecord>> segments() const;
  Result<std::vector<SegmentRecord>> segments_from(std::uint64_t msn) const;
  bool is_durable(std::uint64_t end) const;
  void settle(SegmentRecord& segment, bool is_last, Batch& batch);
  std::size_t good_parts(const SegmentRecord& segment) const;
  void keep_parts(SegmentRecord& segment, std::size_t count) const;
  void write_footers(std::vector<SegmentRecord>& segments);
  Result<void> cut_tail(std::uint64_t end);

  Core& core_;
  ExtentRecord extent_;
  RecoveryReport& report_;
  SharedDescriptor file_;
  std::optional<ExtentHeader> header_;  ///< none: it did not reach the disk
  std::uint64_t file_size_ = 0;
  std::uint64_t end_ = 0;        ///< of what is kept
  std::uint64_t found_end_ = 0;  ///< of what was there and is kept
};

}  // namespace lookback::store
