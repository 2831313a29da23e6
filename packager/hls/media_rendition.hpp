#pragma once
#include <array>
#include <string>

#include "packager/hls/lazy.hpp"
#include "packager/hls/media_state.hpp"
#include "packager/hls/presentation.hpp"

namespace lookback::packager::hls {

/// A `MediaState` as viewers ask for it. Immutable and thread-safe.
class MediaRendition final : public Rendition {
 public:
  explicit MediaRendition(MediaState state);

  const std::string& track() const override { return state_.track->track; }
  const Timing& timing() const override { return state_.track->timing; }
  bool ended() const override { return state_.ended; }
  std::uint64_t first_msn() const override { return state_.first_msn; }
  std::optional<std::uint64_t> last_msn() const override;
  std::optional<PartId> last_part() const override { return state_.last_part(); }
  PartId hinted() const override { return state_.hinted(); }

  bool reached(std::uint64_t msn, std::optional<std::uint32_t> part) const override;
  bool too_far(std::uint64_t msn, std::optional<std::uint32_t> part) const override;
  std::optional<SegmentView> segment(std::uint64_t msn) const override;
  std::optional<PartView> part(PartId id) const override;
  Rendered playlist(bool delta, Coding coding, std::string_view query) const override;

 private:
  Chain plain(bool delta) const;
  Chain packed(bool delta) const;
  std::string delta_text(std::uint64_t skipped) const;
  /// The full playlist's head, with the segments of a first block that is not listed as a whole.
  std::string full_head() const;
  std::string full_tail() const;
  std::span<const std::shared_ptr<const Block>> whole_blocks() const;
  std::string etag(bool delta, Coding coding, std::string_view query) const;

  const MediaState state_;
  const std::string state_name_;      ///< differs whenever any text does
  std::array<Lazy<Chain>, 4> texts_;  ///< [delta][coding]
};

}  // namespace lookback::packager::hls
