#pragma once
#include <optional>
#include <set>
#include <vector>

#include "store/core.hpp"
#include "store/store.hpp"

namespace lookback::store {

/// Brings one extent that is not sealed, and its segments, to a state that is true: what did not reach the
/// disk is cut off, what the last run left open is closed. Used once, by recovery.
class ExtentCheck {
 public:
  /// `end_msn`: where the track's next extent begins. Counts what it does in `report`.
  ExtentCheck(Core& core, const ExtentRecord& extent, std::uint64_t end_msn, RecoveryReport& report)
      : core_(core), extent_(extent), end_msn_(end_msn), report_(report) {}

  /// Adds changes of segment records to `batch`. The extent as it is now, with its file for the sync that
  /// seals it; nothing when no segment and no gap is left in it. Errors: io_error, damaged (the index).
  struct Outcome {
    ExtentRecord record;
    SharedDescriptor file;
  };
  Result<std::optional<Outcome>> run(Batch& batch);

 private:
  Result<void> open();
  void mend_header(const std::vector<SegmentRecord>& segments);
  std::optional<ExtentHeader::Nonce> nonce_at(std::uint64_t offset) const;
  Result<std::vector<SegmentRecord>> segments() const;
  Result<std::vector<SegmentRecord>> segments_from(std::uint64_t msn) const;
  bool is_durable(std::uint64_t end) const;
  void settle(SegmentRecord& segment, bool is_last, Batch& batch);
  bool is_whole(const SegmentRecord& segment) const;
  std::uint64_t footer_size(const SegmentRecord& segment) const;
  std::size_t good_parts(const SegmentRecord& segment) const;
  void keep_parts(SegmentRecord& segment, std::size_t count) const;
  void write_footers(std::vector<SegmentRecord>& segments);
  Result<std::vector<SegmentRecord>> gaps(std::uint64_t from_msn,
                                          const std::vector<SegmentRecord>& made) const;
  std::set<std::uint64_t> skip_blocks();
  void write_gaps(const std::vector<SegmentRecord>& gaps);
  Result<void> cut_tail(std::uint64_t end);

  Core& core_;
  ExtentRecord extent_;
  const std::uint64_t end_msn_;
  RecoveryReport& report_;
  SharedDescriptor file_;
  std::optional<ExtentHeader> header_;  ///< none: damaged
  std::uint64_t file_size_ = 0;
  std::optional<std::uint64_t> forgotten_;  ///< msn of a last segment of which nothing was left
  std::uint64_t end_ = 0;                   ///< of what is kept
  std::uint64_t found_end_ = 0;             ///< of what was there and is kept
};

}  // namespace lookback::store
