#include "tests/support/hls_rules.hpp"

#include <algorithm>

namespace lookback::support {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string show(Duration duration) { return std::to_string(to_seconds(duration)) + " s"; }

class PlaylistCheck {
 public:
  explicit PlaylistCheck(const MediaPlaylist& playlist) : list_(playlist) {}

  Violations run() {
    for (const auto& error : list_.errors) fail(std::stoi(error.substr(5)), error);
    target_ = seconds(list_.target_duration.value_or(0));
    check_header();
    check_segments();
    check_dates();
    if (list_.part_target || !list_.ended) check_low_latency();
    return std::move(out_);
  }

 private:
  void fail(int rule, const std::string& what) { out_.push_back({rule, what}); }

  void check_header() {
    const bool maps = std::ranges::any_of(list_.all(), [](const auto& s) { return !s.map.empty(); });
    const std::uint64_t need = list_.skipped_segments ? 9 : maps ? 6 : 3;
    if (list_.version != need)
      fail(23, "version " + std::to_string(list_.version) + ", need " + std::to_string(need));
    if (list_.target_duration == 0u) fail(24, "target duration 0");
    if (list_.type == "VOD" && !list_.ended) fail(46, "VOD without ENDLIST");
    if (!list_.type.empty() && list_.media_sequence > 0 && !list_.ended)
      fail(44, "a sliding playlist with a type");
    if (list_.ended && !list_.hints.empty()) fail(48, "a hint after ENDLIST");
    if (list_.ended && list_.open) fail(48, "an open segment after ENDLIST");
  }

  void check_segments() {
    for (const auto& segment : list_.segments) {
      const auto name = "segment " + std::to_string(segment.msn);
      // round-half-up(EXTINF) <= TARGETDURATION, which is EXTINF < TARGETDURATION + 0.5
      if (segment.duration >= target_ + milliseconds(500))
        fail(25, name + " lasts " + show(segment.duration));
      if (segment.duration <= Duration(0)) fail(25, name + " lasts " + show(segment.duration));
      if (segment.map.empty() && !segment.gap) fail(37, name + " has no map");
      if (!segment.parts.empty()) check_sum(segment);
    }
    if (list_.open && list_.open->map.empty() && !list_.open->gap) fail(37, "the open segment has no map");
  }

  void check_sum(const SegmentEntry& segment) {
    Duration sum{};
    for (const auto& part : segment.parts) sum += part.duration;
    if (std::chrono::abs(sum - segment.duration) > milliseconds(2)) {
      fail(79, "segment " + std::to_string(segment.msn) + " lasts " + show(segment.duration) +
                   ", its parts " + show(sum));
    }
  }

  void check_dates() {
    const auto all = list_.all();
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto name = "segment " + std::to_string(all[i].msn);
      const bool first = i == 0 && !list_.skipped_segments;
      if ((first || all[i].discontinuity) && !all[i].date) fail(50, name + " has no date");
      if (i == 0 || !all[i].date || !all[i - 1].derived_date) continue;
      const auto step = *all[i].date - *all[i - 1].derived_date - all[i - 1].duration;
      if (step < milliseconds(-50)) fail(52, name + " overlaps the one before by " + show(-step));
      if (step > milliseconds(50) && !all[i].discontinuity) fail(52, name + " is late by " + show(step));
    }
  }

  void check_low_latency() {
    if (!list_.part_target) {
      fail(71, "no PART-INF");
      return;
    }
    check_server_control();
    for (const auto& segment : list_.segments) check_parts(segment, true);
    if (list_.open) check_parts(*list_.open, false);
    check_edge();
    const auto hints =
        std::ranges::count_if(list_.hints, [](const auto& h) { return h.text("TYPE") == "PART"; });
    if (!list_.ended && hints != 1) fail(89, std::to_string(hints) + " hints of a part");
  }

  void check_server_control() {
    if (!list_.server_control) {
      if (!list_.ended) fail(72, "no SERVER-CONTROL");
      return;
    }
    const auto& control = *list_.server_control;
    const auto part_hold_back = control.seconds("PART-HOLD-BACK");
    if (control.text("CAN-BLOCK-RELOAD") != "YES") fail(72, "no CAN-BLOCK-RELOAD");
    if (!part_hold_back) fail(72, "no PART-HOLD-BACK");
    if (part_hold_back && *part_hold_back < 2 * *list_.part_target) fail(73, "PART-HOLD-BACK too small");
    if (part_hold_back && *part_hold_back < 3 * *list_.part_target)
      fail(74, "PART-HOLD-BACK below 3 part targets");
    const auto hold_back = control.seconds("HOLD-BACK");
    if (control.has("HOLD-BACK") && (!hold_back || *hold_back < 3 * target_)) fail(73, "HOLD-BACK too small");
    const auto skip = control.seconds("CAN-SKIP-UNTIL");
    if (control.has("CAN-SKIP-UNTIL") && (!skip || *skip < 6 * target_)) fail(75, "CAN-SKIP-UNTIL too small");
    if (control.has("CAN-SKIP-DATERANGES") && !skip) fail(75, "CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL");
  }

  void check_parts(const SegmentEntry& segment, bool complete) {
    const auto& parts = segment.parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto name = "part " + std::to_string(segment.msn) + "." + std::to_string(i);
      if (parts[i].duration > *list_.part_target) fail(77, name + " lasts " + show(parts[i].duration));
      if (parts[i].duration <= Duration(0)) fail(77, name + " lasts " + show(parts[i].duration));
      // The newest part of the open segment may turn out to be its last.
      const bool last = i + 1 == parts.size();
      const bool free = parts[i].independent || parts[i].gap || last || parts[i + 1].gap;
      if (!free && parts[i].duration * 100 < *list_.part_target * 85) {
        fail(78, name + " lasts " + show(parts[i].duration) + (complete ? "" : " (open segment)"));
      }
    }
  }

  /// Where parts are listed: from the end as far back as a player starts, and no further than 3 target
  /// durations.
  void check_edge() {
    if (list_.ended || !list_.server_control) return;
    auto from_end = list_.open ? list_.open->duration : Duration(0);
    Duration after{};  // complete segments behind the one looked at
    Duration covered = from_end;
    bool contiguous = true;
    for (auto segment = list_.segments.rbegin(); segment != list_.segments.rend(); ++segment) {
      if (segment->parts.empty()) contiguous = false;
      if (contiguous) covered += segment->duration;
      if (!segment->parts.empty() && after > 3 * target_) {
        fail(85, "parts of segment " + std::to_string(segment->msn) + " are still listed, " + show(after) +
                     " back");
      }
      after += segment->duration;
    }
    from_end += after;
    const auto hold_back = list_.server_control->seconds("PART-HOLD-BACK").value_or(Duration(0));
    const bool whole = !list_.skipped_segments && covered == from_end;
    if (!whole && covered < hold_back) fail(86, "parts reach back only " + show(covered));
  }

  const MediaPlaylist& list_;
  Duration target_{};
  Violations out_;
};

}  // namespace

Violations check_playlist(const MediaPlaylist& playlist) { return PlaylistCheck(playlist).run(); }

Violations of_rule(const Violations& all, int rule) {
  Violations out;
  std::ranges::copy_if(all, std::back_inserter(out), [&](const auto& v) { return v.rule == rule; });
  return out;
}

std::string describe(const Violations& violations) {
  std::string text = std::to_string(violations.size()) + " violations";
  for (std::size_t i = 0; i < violations.size() && i < 20; ++i) {
    text += "\n  rule " + std::to_string(violations[i].rule) + ": " + violations[i].what;
  }
  return text;
}

}  // namespace lookback::support
