#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "packager/mp4/sample_table.hpp"

namespace lookback::packager {

/// The sample tables of one track of a movie (ISO/IEC 14496-12 8.6, 8.7), grown sample by sample: runs of
/// equal values, 4 bytes of size for each sample. Belongs to its builder.
class MovieTables {
 public:
  struct DurationRun {
    std::uint32_t count = 0, duration = 0;
  };
  struct CompositionRun {
    std::uint32_t count = 0;
    std::int32_t offset = 0;
  };
  struct ChunkRun {
    std::uint32_t first_chunk = 0, samples = 0;  ///< of each chunk from this one on; counted from 1
  };

  /// A chunk of `samples` samples whose first byte lies at `offset` in the movie's media.
  void add_chunk(std::uint64_t offset, std::uint32_t samples) {
    chunks_.push_back(offset);
    if (chunk_runs_.empty() || chunk_runs_.back().samples != samples)
      chunk_runs_.push_back({static_cast<std::uint32_t>(chunks_.size()), samples});
  }

  /// The next sample, at `dts` on the movie's own timeline. The one before it lasts until then. False: it
  /// does not lie behind that one, or so far that the duration has no room in the table.
  bool add(Ticks dts, const TableSample& sample) {
    if (sizes_.empty()) {
      first_dts_ = dts;
      first_composition_ = sample.composition;
    } else if (!end_last(dts - last_dts_)) {
      return false;
    }
    last_dts_ = dts;
    last_duration_ = sample.duration;
    if (compositions_.empty() || compositions_.back().offset != sample.composition)
      compositions_.push_back({0, sample.composition});
    ++compositions_.back().count;
    least_composition_ = std::min(least_composition_, sample.composition);
    sizes_.push_back(sample.size_bytes);
    if (sample.sync) syncs_.push_back(static_cast<std::uint32_t>(sizes_.size()));
    end_ = std::max({end_, dts + sample.duration, dts + sample.composition + sample.duration});
    return true;
  }
  /// Gives the last sample its own duration.
  void finish() {
    if (!sizes_.empty()) end_last(last_duration_);
  }

  bool empty() const { return sizes_.empty(); }
  std::uint32_t samples() const { return static_cast<std::uint32_t>(sizes_.size()); }
  /// On the movie's timeline.
  Ticks first_dts() const { return first_dts_; }
  Ticks first_pts() const { return first_dts_ + first_composition_; }
  /// When the last sample has been shown, and the last has been decoded.
  Ticks end() const { return end_; }
  /// Of all samples; once `finish` was called.
  Ticks duration() const { return last_dts_ + last_duration_ - first_dts_; }
  /// What makes all composition offsets >= 0, so that ctts can be version 0.
  std::int64_t composition_shift() const { return -std::int64_t{least_composition_}; }

  const std::vector<DurationRun>& durations() const { return durations_; }
  const std::vector<CompositionRun>& compositions() const { return compositions_; }
  const std::vector<std::uint32_t>& sizes() const { return sizes_; }
  const std::vector<std::uint32_t>& syncs() const { return syncs_; }  ///< counted from 1
  const std::vector<std::uint64_t>& chunks() const { return chunks_; }
  const std::vector<ChunkRun>& chunk_runs() const { return chunk_runs_; }

 private:
  /// FFmpeg and others keep durations as signed numbers.
  static constexpr Ticks longest = 0x7FFF'FFFF;

  bool end_last(Ticks duration) {
    if (duration <= 0 || duration > longest) return false;
    const auto ticks = static_cast<std::uint32_t>(duration);
    if (durations_.empty() || durations_.back().duration != ticks) durations_.push_back({0, ticks});
    ++durations_.back().count;
    return true;
  }

  std::vector<DurationRun> durations_;
  std::vector<CompositionRun> compositions_;
  std::vector<std::uint32_t> sizes_, syncs_;
  std::vector<std::uint64_t> chunks_;
  std::vector<ChunkRun> chunk_runs_;
  Ticks first_dts_ = 0, last_dts_ = 0, last_duration_ = 0, end_ = 0;
  std::int32_t first_composition_ = 0, least_composition_ = 0;
};

}  // namespace lookback::packager
