#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/ingest/event.hpp"

namespace lookback::server {

/// Joins what several connections (*feeds*) bring of one stream, as NAME@RENDITION, into one source: tracks
/// get numbers of their own, and times are those of one clock.
///
/// A feed whose timestamps agree with those of another within `agree_us`, once its arrival is taken into
/// account, is of one clock with it, and keeps them exactly; any other is shifted by its arrival. In both
/// cases a key picture within `snap_us` of one of another feed is taken for the same instant. Sound that is
/// equal (codec, and language where both tell it) to what another feed brings is held in reserve, and goes on
/// in its track when that one leaves or falls silent. A feed that comes back has its tracks again. A single
/// feed of the stream's plain name passes through as it is. Pure: time comes in. Belongs to its stream's
/// strand.
class FeedMixer {
 public:
  /// Less than the silence after which a follower gets gaps (Segmenter::Options::silence_limit_us).
  static constexpr std::int64_t agree_us = 1'000'000;
  /// An arrival is no more exact than this, and FFmpeg lets each FLV begin at zero, whatever it reorders.
  static constexpr std::int64_t snap_us = 100'000;
  /// A step of a track's clock that is no hole, as in SessionTimeline.
  static constexpr std::int64_t jump_us = 3'000'000;
  /// Sound that has not come for this long goes on in the sound that is held in reserve: a segment's usual
  /// length.
  static constexpr std::int64_t silence_us = 2'000'000;
  /// Feeds that have left are remembered, so that they have their tracks when they come back; of more the one
  /// that left first is forgotten.
  static constexpr std::size_t max_remembered = 64;

  /// A feed comes, or comes back. `rendition` may be empty, and is not that of one that is here.
  void add(std::string_view rendition);
  /// A feed has left. What the packager has to know of it.
  std::vector<IngestEvent> remove(std::string_view rendition);
  /// What a feed that is here brings, as events of the joined source.
  std::vector<IngestEvent> take(std::string_view rendition, std::vector<IngestEvent> events,
                                std::int64_t now_us);

  /// How much the feed's timestamps are shifted; empty: nothing of it was placed yet.
  std::optional<std::int64_t> shift_us(std::string_view rendition) const;
  /// Whether that is by its arrival, and not by timestamps that it has in common with another.
  bool is_by_arrival(std::string_view rendition) const;

 private:
  /// A track of a feed.
  struct Source {
    packager::SourceTrack track;  ///< as its connection numbers it
    packager::TrackFormat format;
    bool here = false;                                    ///< announced by the connection that is here
    bool begun = false;                                   ///< video: a sync sample came
    std::optional<std::size_t> lane;                      ///< in which it goes, or would go
    std::int64_t shift_us = 0;                            ///< of its timestamps
    std::int64_t reorder_us = 0;                          ///< PTS - DTS of its first sync sample
    std::optional<std::int64_t> last_us;                  ///< DTS of its newest sample, shifted
    std::optional<std::int64_t> sync_us, sync_before_us;  ///< when its newest sync samples are shown, shifted
    std::int64_t last_arrival_us = 0;
  };
  struct Feed {
    std::string rendition;
    bool here = false;
    std::uint64_t change = 0;  ///< counts comings and goings
    std::vector<Source> sources;
    std::optional<std::int64_t> shift_us;       ///< empty: nothing of it was placed yet
    std::optional<std::int64_t> last_shift_us;  ///< when it was here before
    bool by_arrival = false;
  };
  /// A track of the joined source, and which source goes in it.
  struct Lane {
    packager::SourceTrack track;
    packager::TrackFormat announced;
    std::optional<std::pair<std::size_t, packager::SourceTrack>> owner;  ///< feed and its track
  };
  using Events = std::vector<IngestEvent>;

  void take_list(Feed& feed, TrackList list, Events& out);
  void take_format(Feed& feed, FormatChange change, std::int64_t now_us, Events& out);
  void take_sample(Feed& feed, packager::SourceSample sample, std::int64_t now_us, Events& out);
  void take_cue(const Feed& feed, packager::SourceCue cue, Events& out) const;

  Feed* find(std::string_view rendition);
  const Feed* find(std::string_view rendition) const;
  std::size_t index_of(const Feed& feed) const { return static_cast<std::size_t>(&feed - feeds_.data()); }
  std::size_t here() const;
  void forget_feeds();
  void forget(std::size_t feed);

  std::optional<std::size_t> lane_for(const Feed& feed, const Source& source);
  std::optional<std::uint8_t> free_number(packager::SourceTrack wanted) const;
  bool owns(const Feed& feed, const Source& source) const;
  Source* owner_of(const Lane& lane);
  void give(Lane& lane, const Feed& feed, const Source& source, Events& out);
  void leave_lane(const Feed& feed, Source& source, Events& out);
  void take_over_if_silent(const Feed& feed, const Source& source, std::int64_t now_us, Events& out);
  void list(Events& out) const;

  bool align(Feed& feed, Source& source, const packager::SourceSample& sample, std::int64_t now_us);
  void shift(Feed& feed, Source& source, std::int64_t source_us, std::int64_t now_us);
  std::int64_t off_sync(const Feed& feed, std::int64_t shown_us) const;
  void observe(packager::MediaKind kind, std::int64_t lateness_us, std::int64_t now_us);
  std::optional<std::int64_t> lateness(packager::MediaKind kind) const;

  /// Arrival less time of the earliest samples, of the newest seconds.
  struct Lateness {
    std::optional<std::int64_t> now_us, before_us;
    std::int64_t since_us = 0;
  };

  bool joined_ = false;  ///< more than one feed of the plain name came
  std::uint64_t changes_ = 0;
  std::vector<Feed> feeds_;
  std::vector<Lane> lanes_;
  std::array<Lateness, 2> lateness_;  ///< by kind
};

}  // namespace lookback::server
