#pragma once
#include <array>
#include <string>

#include "packager/hls/lazy.hpp"
#include "packager/hls/listing.hpp"
#include "packager/hls/past_blocks.hpp"
#include "packager/hls/presentation.hpp"

namespace lookback::packager::hls {

/// A `Listing` as viewers ask for it. Immutable and thread-safe.
class MediaRendition final : public Rendition {
 public:
  explicit MediaRendition(Listing listing);

  const std::string& track() const override { return listing_.track().track; }
  std::uint32_t timescale() const override { return listing_.track().timescale; }
  const Timing& timing() const override { return listing_.track().timing; }
  bool ended() const override { return listing_.ended; }
  std::uint64_t first_msn() const override { return listing_.first_msn; }
  std::optional<std::uint64_t> last_msn() const override;
  std::optional<PartId> last_part() const override;
  PartId hinted() const override { return listing_.state->hinted(); }
  bool takes_directives() const override { return listing_.takes_directives(); }
  std::int64_t window_us() const override { return listing_.track().window_us; }

  bool reached(std::uint64_t msn, std::optional<std::uint32_t> part) const override;
  bool too_far(std::uint64_t msn, std::optional<std::uint32_t> part) const override;
  std::optional<SegmentView> segment(std::uint64_t msn) const override;
  std::optional<PartView> part(PartId id) const override;
  std::optional<SegmentTime> time_of(std::uint64_t msn) const override;
  const std::vector<Stretch>& stretches() const override;
  Measure measure() const override;

  std::shared_ptr<const Rendition> view(const View& view) const override;
  std::shared_ptr<const Rendition> after(const Rendition& past) const override;
  std::shared_ptr<const Rendition> iframes() const override;
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

  const Listing listing_;
  const std::string name_;            ///< differs whenever any text does
  std::array<Lazy<Chain>, 4> texts_;  ///< [delta][coding]
  Lazy<std::vector<Stretch>> stretches_;
  Lazy<std::shared_ptr<const Rendition>> iframes_;
  PastBlocks past_blocks_;  ///< for windows that come after this one
};

}  // namespace lookback::packager::hls
