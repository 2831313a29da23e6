#include "server/archive/mp4_plan.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "packager/media/track_format.hpp"
#include "store/base/errc.hpp"
#include "store/extent_record.hpp"

namespace lookback::server {
namespace {

using packager::MovieRange;
using store::SegmentRecord;
using store::Window;

/// A track's samples last at most 2^31 - 1 ticks: six hours of 90 kHz.
constexpr std::int64_t longest_silence_us = 3'600'000'000;

bool has_media(const SegmentRecord* segment) {
  return segment != nullptr && !segment->gap && segment->extent != 0 && !segment->parts.empty();
}

/// Pixels of a track's newest picture; 0: not known.
std::uint64_t picture_size(const Window::Track& track) {
  if (track.inits.empty()) return 0;
  const auto format = packager::deserialize_format(track.inits.back().format);
  return format ? std::uint64_t{format->display_width} * format->display_height : 0;
}

/// Of several renditions one is taken: among those with next to all of the media the largest picture. Null:
/// there is no video.
const Window::Track* choose_video(const Window& window, MovieRange range) {
  std::vector<std::pair<std::ptrdiff_t, const Window::Track*>> found;
  std::ptrdiff_t most = 0;
  for (const auto& track : window.tracks) {
    if (!track.track.name.starts_with('v')) continue;
    const auto counts = [&](const SegmentRecord& segment) {
      return has_media(&segment) && segment.complete && segment.pdt_us < range.end_us;
    };
    found.emplace_back(std::count_if(track.segments.begin(), track.segments.end(), counts), &track);
    most = std::max(most, found.back().first);
  }
  const Window::Track* chosen = nullptr;
  for (const auto& [count, track] : found) {
    if (count * 10 < most * 9) continue;
    if (chosen == nullptr || picture_size(*track) > picture_size(*chosen)) chosen = track;
  }
  return chosen;
}

/// Makes one plan. Lives for one call.
class Planner {
 public:
  Planner(const Window& window, MovieRange range) : window_(window), range_(range) {
    const auto* video = choose_video(window, range);
    for (const auto& track : window.tracks) {
      if (track.track.name.starts_with('v') && &track != video) continue;
      if (&track == video) lead_ = tracks_.size();
      tracks_.push_back(&track);
    }
  }

  Result<std::variant<Mp4Plan, Mp4Sections>> run() {
    collect();
    choose_start();
    drop_silent_tracks();
    if (groups_.empty() || tracks_.empty()) return store::Errc::not_found;
    auto sections = split();
    if (sections.size() > 1) return std::variant<Mp4Plan, Mp4Sections>(std::move(sections));
    Mp4Plan plan;
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      auto init = packager::read_movie_init(*init_of(i));
      if (!init) return init.error();
      if (init->timescale != tracks_[i]->track.timescale) return packager::Errc::bad_init;
      plan.tracks.push_back({tracks_[i]->track, std::move(*init)});
    }
    plan.groups = std::move(groups_);
    return std::variant<Mp4Plan, Mp4Sections>(std::move(plan));
  }

 private:
  using Group = Mp4Plan::Group;

  /// Segments of one number stand together. What is not complete is not there yet.
  void collect() {
    std::map<std::uint64_t, Group> by_number;
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      for (const auto& segment : tracks_[i]->segments) {
        if (!segment.complete || segment.pdt_us >= range_.end_us) continue;
        auto& group = by_number.try_emplace(by_number.end(), segment.msn)->second;
        group.segments.resize(tracks_.size());
        group.segments[i] = &segment;
        group.discontinuity = group.discontinuity || segment.discontinuity;
      }
    }
    for (auto& [number, group] : by_number) groups_.push_back(std::move(group));
  }

  std::size_t anchor(const Group& group) const {
    const auto lead = lead_.value_or(0);
    if (group.segments[lead] != nullptr) return lead;
    for (std::size_t i = 0; i < group.segments.size(); ++i)
      if (group.segments[i] != nullptr) return i;
    return lead;
  }
  std::int64_t start_us(const Group& group) const { return group.segments[anchor(group)]->pdt_us; }
  std::int64_t end_us(const Group& group) const {
    const auto track = anchor(group);
    return store::end_pdt_us(*group.segments[track], tracks_[track]->track.timescale);
  }

  /// Leaves the groups from the last sync sample before the start on; never ones of another session.
  void choose_start() {
    auto first = groups_.end();
    auto before_us = range_.start_us;  // where the group before ends
    for (auto group = groups_.begin(); group != groups_.end(); ++group) {
      if (start_us(*group) > range_.start_us) {
        const bool in_hole = group->discontinuity && before_us <= range_.start_us;
        if (first == groups_.end() || in_hole) first = group;
        break;
      }
      const auto* lead = group->segments[anchor(*group)];
      const bool starts_with_sync = has_media(lead) && lead->parts.front().independent;
      before_us = end_us(*group);
      const bool holds_start = first == groups_.end() && before_us > range_.start_us;
      if (holds_start || group->discontinuity || starts_with_sync) first = group;
    }
    if (first != groups_.end() && end_us(groups_.back()) > range_.start_us) {
      groups_.erase(groups_.begin(), first);
    } else {
      groups_.clear();
    }
  }

  void drop_silent_tracks() {
    for (std::size_t i = tracks_.size(); i-- > 0;) {
      const auto loud = [&](const Group& group) { return has_media(group.segments[i]); };
      if (std::any_of(groups_.begin(), groups_.end(), loud)) continue;
      tracks_.erase(tracks_.begin() + static_cast<std::ptrdiff_t>(i));
      for (auto& group : groups_)
        group.segments.erase(group.segments.begin() + static_cast<std::ptrdiff_t>(i));
      if (lead_ && *lead_ == i) lead_.reset();
      if (lead_ && *lead_ > i) --*lead_;
    }
    const auto unknown = [](const Group& group) {
      return std::all_of(group.segments.begin(), group.segments.end(),
                         [](auto* one) { return one == nullptr; });
    };
    groups_.erase(std::remove_if(groups_.begin(), groups_.end(), unknown), groups_.end());
  }

  const std::vector<std::byte>* bytes_of(std::size_t track, std::uint32_t id) const {
    for (const auto& init : tracks_[track]->inits)
      if (init.id == id) return &init.bytes;
    return nullptr;
  }
  /// The init of the track's first segment with media.
  const std::vector<std::byte>* init_of(std::size_t track) const {
    static const std::vector<std::byte> none;
    for (const auto& group : groups_) {
      if (!has_media(group.segments[track])) continue;
      const auto* bytes = bytes_of(track, group.segments[track]->init_id);
      return bytes ? bytes : &none;
    }
    return &none;
  }

  /// Where one file ends because the next segment's parameters are others, or a track was silent for too
  /// long.
  Mp4Sections split() const {
    struct State {
      std::uint32_t init_id = 0;
      const std::vector<std::byte>* init = nullptr;
      std::int64_t end_us = 0;
    };
    std::vector<State> states(tracks_.size());
    Mp4Sections sections;
    for (const auto& group : groups_) {
      bool cut = sections.empty();
      for (std::size_t i = 0; i < tracks_.size() && !cut; ++i) {
        if (!has_media(group.segments[i]) || states[i].init == nullptr) continue;
        const auto& segment = *group.segments[i];
        const auto* init =
            segment.init_id == states[i].init_id ? states[i].init : bytes_of(i, segment.init_id);
        const bool silent = !group.discontinuity && segment.pdt_us - states[i].end_us > longest_silence_us;
        cut = silent || init == nullptr || *init != *states[i].init;
      }
      if (cut) {
        sections.push_back({std::max(range_.start_us, start_us(group)), 0});
        states.assign(tracks_.size(), {});
      }
      for (std::size_t i = 0; i < tracks_.size(); ++i) {
        auto& state = states[i];
        if (group.discontinuity) state.end_us = std::max(state.end_us, start_us(group));
        if (!has_media(group.segments[i])) continue;
        const auto& segment = *group.segments[i];
        if (state.init == nullptr || state.init_id != segment.init_id)
          state.init = bytes_of(i, segment.init_id);
        state.init_id = segment.init_id;
        state.end_us = store::end_pdt_us(segment, tracks_[i]->track.timescale);
      }
      sections.back().end_us = std::min(range_.end_us, end_us(group));
    }
    return sections;
  }

  const Window& window_;
  const MovieRange range_;
  std::vector<const Window::Track*> tracks_;
  std::optional<std::size_t> lead_;
  std::vector<Group> groups_;
};

}  // namespace

Result<std::variant<Mp4Plan, Mp4Sections>> plan_mp4(const Window& window, MovieRange range) {
  return Planner(window, range).run();
}

}  // namespace lookback::server
