#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packager/hls/bit_rate.hpp"
#include "packager/hls/view.hpp"
#include "packager/media/track_format.hpp"
#include "store/base/bytes.hpp"
#include "store/records.hpp"

/// What viewers see of a stream at one instant, as immutable values. `RenditionBuilder` (on the stream's
/// strand) takes stored segments and parts and gives a new `Rendition` after each; `Presentation` binds the
/// renditions of one instant together. Every network thread holds the newest; texts are rendered at
/// the first request for them and kept with the value.
namespace lookback::packager::hls {

/// Fixed for the whole life of a stream's playlists (rfc8216bis 6.2.1).
struct Timing {
  std::uint32_t target_duration_s = 2;
  std::uint32_t part_target_us = 334'000;
};

/// A place in the live edge. `{msn, part}` in lexical order; a complete segment with n parts ends at part
/// n-1.
struct PartId {
  std::uint64_t msn = 0;
  std::uint32_t part = 0;
  auto operator<=>(const PartId&) const = default;
};

/// Where another rendition's edge stands (EXT-X-RENDITION-REPORT).
struct Report {
  std::string track;  ///< "a0"
  PartId last;
};

enum class Coding { identity, gzip };

/// A rendered playlist: the bytes to send and the strong ETag (quoted) that names them.
struct Rendered {
  Chain body;
  std::string etag;
};

/// A segment as readers get it: its record, and its bytes while they are in memory.
struct SegmentView {
  store::SegmentRecord record;
  Chain bytes;  ///< empty: read record.extent at record.offset
};

struct PartView {
  store::PartRecord record;
  std::uint64_t extent = 0, offset = 0;  ///< when not in memory
  Chain bytes;
};

/// Where a complete segment lies in time, and what may be done there. Its wall-clock interval is
/// [pdt_us, pdt_us + duration_us).
struct SegmentTime {
  std::int64_t pdt_us = 0, duration_us = 0;
  std::uint32_t discontinuity_sequence = 0;
  bool sync = false;  ///< starts with a sync sample, or is a gap
  bool gap = false;
  std::int64_t end_us() const { return pdt_us + duration_us; }
};

/// Segments that follow each other without a break: all media, or all EXT-X-GAP.
struct Stretch {
  std::uint64_t first_msn = 0, end_msn = 0;  ///< end exclusive
  std::int64_t start_us = 0, end_us = 0;     ///< wall clock
  std::uint32_t discontinuity_sequence = 0;  ///< the session
  bool gap = false;
  bool operator==(const Stretch&) const = default;
};

/// What the listed segments are, measured one by one.
struct Measure {
  BitRates rates, iframe_rates;
  std::vector<std::uint32_t> init_ids;  ///< those that media needs, in order of their first use
};

/// One media playlist and what it names, at one instant. Immutable and thread-safe: texts are rendered once,
/// by whoever asks first, and kept.
class Rendition {
 public:
  virtual ~Rendition() = default;
  virtual const std::string& track() const = 0;  ///< "v0"
  virtual std::uint32_t timescale() const = 0;   ///< ticks per second, of the track's records
  virtual const Timing& timing() const = 0;
  virtual bool ended() const = 0;                             ///< ENDLIST is set
  virtual std::uint64_t first_msn() const = 0;                ///< first listed segment
  virtual std::optional<std::uint64_t> last_msn() const = 0;  ///< newest complete segment
  virtual std::optional<PartId> last_part() const = 0;        ///< newest listed part
  virtual PartId hinted() const = 0;                          ///< the part of the EXT-X-PRELOAD-HINT
  /// Delivery directives mean something (rfc8216bis 6.2.5): not in an ended playlist, nor in one without
  /// EXT-X-SERVER-CONTROL.
  virtual bool takes_directives() const = 0;
  /// How long segments stay listed after the newest one has come; the largest value: for ever.
  virtual std::int64_t window_us() const = 0;

  /// Whether a request for `_HLS_msn=msn[&_HLS_part=part]` can be answered now (rfc8216bis 6.2.5.2): the
  /// part, anything later, or (without part) the whole segment is listed. Part N past the end of a complete
  /// segment is part 0 of the next.
  virtual bool reached(std::uint64_t msn, std::optional<std::uint32_t> part) const = 0;
  /// Whether such a request is too far ahead to wait for: msn > newest complete + 2, or a part beyond the
  /// Advance Part Limit (6.2.5.2): answer 400.
  virtual bool too_far(std::uint64_t msn, std::optional<std::uint32_t> part) const = 0;

  /// A listed segment, or one that left the list a short while ago. Empty: not known here (ask the store).
  virtual std::optional<SegmentView> segment(std::uint64_t msn) const = 0;
  /// Any stored part of such a segment, also of the open one.
  virtual std::optional<PartView> part(PartId id) const = 0;

  /// A listed complete segment; empty: not listed.
  virtual std::optional<SegmentTime> time_of(std::uint64_t msn) const = 0;
  /// What is listed, as runs without a break; found once. The cost does not depend on runs' lengths.
  virtual const std::vector<Stretch>& stretches() const = 0;
  /// Walks over all that is listed: some milliseconds for a day.
  virtual Measure measure() const = 0;

  /// A part of what is listed, as another playlist: shares everything with this one, costs nothing until its
  /// text is asked for. Null: nothing of it is listed.
  virtual std::shared_ptr<const Rendition> view(const View& view) const = 0;
  /// This playlist with what `past` lists in front of it: a window that has moved on, longer again. The edge,
  /// its parts and directives stay this one's. Null: they leave a hole between them, or the numbers begin too
  /// early to be joined (the first 64 of a stream). `past` is of the same track.
  virtual std::shared_ptr<const Rendition> after(const Rendition& past) const = 0;
  /// The I-frame playlist over the same segments (rfc8216bis 4.4.3.6), under the same numbers: the first
  /// `sync_bytes` of each segment that starts with a sync sample, a gap where one does not. Null for audio.
  virtual std::shared_ptr<const Rendition> iframes() const = 0;

  /// The playlist. `delta`: as for `_HLS_skip=YES` (6.2.5.1), full when nothing can be skipped. `query` is
  /// appended to every URI ("token=x"; checked by the caller, may be empty).
  virtual Rendered playlist(bool delta, Coding coding, std::string_view query) const = 0;
};

/// A stream at one instant. Immutable and thread-safe.
class Presentation {
 public:
  virtual ~Presentation() = default;
  virtual const std::vector<std::shared_ptr<const Rendition>>& renditions() const = 0;
  /// Null when there is no such track.
  virtual std::shared_ptr<const Rendition> rendition(std::string_view track) const = 0;
  /// All renditions through the same view; those of which it lists nothing are left out. Null: nothing at
  /// all. Views that are asked for again are the same object, with their texts (a bounded number of them).
  virtual std::shared_ptr<const Presentation> view(const View& view) const = 0;
  /// All renditions, each after its own of `past`, where that has it. Null: one of them cannot be joined, or
  /// is in `past` only.
  virtual std::shared_ptr<const Presentation> after(const Presentation& past) const = 0;
  /// The multivariant playlist; `query` as above.
  virtual Rendered multivariant(Coding coding, std::string_view query) const = 0;
  /// The bytes of an init segment. Empty: no such init.
  virtual std::optional<Slice> init(std::string_view track, std::uint32_t id) const = 0;
  virtual const std::string& generation() const = 0;
};

}  // namespace lookback::packager::hls
