#include <algorithm>
#include <map>

#include "tests/support/hls_rules.hpp"

namespace lookback::support {
namespace {

using std::chrono::milliseconds;

std::string name_of(const SegmentEntry& segment) { return "segment " + std::to_string(segment.msn); }

class UpdateCheck {
 public:
  UpdateCheck(const MediaPlaylist& previous, const MediaPlaylist& next) : previous_(previous), next_(next) {}

  Violations run() {
    check_constants();
    check_numbers();
    for (const auto& segment : previous_.segments) check_segment(segment);
    if (previous_.open) check_open(*previous_.open);
    check_hint();
    return std::move(out_);
  }

 private:
  void fail(int rule, const std::string& what) { out_.push_back({rule, what}); }

  void check_constants() {
    if (previous_.target_duration != next_.target_duration) fail(26, "TARGETDURATION changed");
    if (!next_.ended && previous_.part_target != next_.part_target) fail(71, "PART-TARGET changed");
    if (!next_.ended && previous_.server_control != next_.server_control) fail(76, "SERVER-CONTROL changed");
  }

  void check_numbers() {
    if (next_.media_sequence < previous_.media_sequence) fail(30, "MEDIA-SEQUENCE went back");
    if (next_.last_msn() < previous_.last_msn()) fail(30, "the newest segment went back");
    if (next_.discontinuity_sequence < previous_.discontinuity_sequence)
      fail(34, "DISCONTINUITY-SEQUENCE went back");
    std::map<std::string, std::uint64_t> numbers;
    for (const auto& segment : previous_.segments) {
      if (!segment.gap) numbers[segment.uri] = segment.msn;
    }
    for (const auto& segment : next_.segments) {
      const auto known = numbers.find(segment.uri);
      if (known != numbers.end() && known->second != segment.msn) {
        fail(30,
             segment.uri + " was " + std::to_string(known->second) + ", is " + std::to_string(segment.msn));
      }
    }
    if (next_.media_sequence > previous_.media_sequence) {
      const auto target = std::chrono::seconds(next_.target_duration.value_or(0));
      if (next_.length() < 3 * target)
        fail(38, "only " + std::to_string(to_seconds(next_.length())) + " s are listed");
      if (next_.segments.size() < 6)
        fail(40, "only " + std::to_string(next_.segments.size()) + " segments are listed");
    }
  }

  void check_segment(const SegmentEntry& before) {
    if (before.msn < next_.media_sequence) return;
    const auto* now = next_.find(before.msn);
    if (now == nullptr || now->uri.empty()) return fail(31, name_of(before) + " vanished");
    if (now->uri != before.uri) fail(31, name_of(before) + " was " + before.uri + ", is " + now->uri);
    if (now->duration != before.duration) fail(31, name_of(before) + " changed its duration");
    if (now->map != before.map) fail(31, name_of(before) + " changed its map");
    // Only media that turned out to be lost may become one: a test that loses some allows that.
    if (now->gap && !before.gap) fail(31, name_of(before) + " became a gap");
    if (before.gap && !now->gap) fail(31, name_of(before) + " is no gap any more");
    if (!now->parts.empty() && now->parts != before.parts) fail(31, name_of(before) + " changed its parts");
    check_place(before, *now);
  }

  /// A segment of which only parts were listed.
  void check_open(const SegmentEntry& before) {
    if (before.msn < next_.media_sequence) return;
    const auto* now = next_.find(before.msn);
    if (now == nullptr) return fail(31, "the open " + name_of(before) + " vanished");
    const bool grows = now->parts.size() >= before.parts.size() &&
                       std::equal(before.parts.begin(), before.parts.end(), now->parts.begin());
    if (!now->parts.empty() && !grows) fail(31, "parts of " + name_of(before) + " changed");
    if (now->map != before.map) fail(31, name_of(before) + " changed its map");
    check_place(before, *now);
  }

  void check_place(const SegmentEntry& before, const SegmentEntry& now) {
    // The tag before the first segment may go: then its number counts it.
    if (now.discontinuity != before.discontinuity && now.msn != next_.media_sequence) {
      fail(31, name_of(before) + " changed its discontinuity");
    }
    if (now.discontinuity_sequence != before.discontinuity_sequence) {
      fail(34, name_of(before) + " had discontinuity number " +
                   std::to_string(before.discontinuity_sequence) + ", has " +
                   std::to_string(now.discontinuity_sequence));
    }
    if (before.derived_date && now.derived_date &&
        std::chrono::abs(*before.derived_date - *now.derived_date) > milliseconds(1)) {
      fail(51, name_of(before) + " changed its date");
    }
  }

  void check_hint() {
    const auto* hint = previous_.hint("PART");
    if (hint == nullptr) return;
    const auto msn = previous_.open ? previous_.open->msn
                                    : previous_.last_msn().value_or(previous_.media_sequence - 1) + 1;
    const auto index = previous_.open ? previous_.open->parts.size() : 0;
    const auto* segment = next_.find(msn);
    if (segment == nullptr || index >= segment->parts.size())
      return;  // ended without it, or parts no longer listed
    if (segment->parts[index].uri != hint->text("URI")) {
      fail(90, "hinted " + hint->text("URI") + ", listed " + segment->parts[index].uri);
    }
  }

  const MediaPlaylist& previous_;
  const MediaPlaylist& next_;
  Violations out_;
};

}  // namespace

Violations check_update(const MediaPlaylist& previous, const MediaPlaylist& next) {
  return UpdateCheck(previous, next).run();
}

Violations check_renditions(const MediaPlaylist& one, const MediaPlaylist& other) {
  Violations out;
  if (one.target_duration != other.target_duration) out.push_back({27, "different TARGETDURATION"});
  if (one.type != other.type) out.push_back({47, "different PLAYLIST-TYPE"});
  if (one.server_control != other.server_control) out.push_back({76, "different SERVER-CONTROL"});
  std::size_t common = 0;
  for (const auto& segment : one.segments) {
    const auto* twin = other.find(segment.msn);
    if (twin == nullptr || twin->uri.empty()) continue;
    ++common;
    if (twin->discontinuity_sequence != segment.discontinuity_sequence) {
      out.push_back({35, name_of(segment) + " has different discontinuity numbers"});
    }
    // One frame of the slowest usual rates: 42 ms video, 46 ms audio (AAC at 22.05 kHz).
    const auto apart = segment.derived_date && twin->derived_date
                           ? std::chrono::abs(*segment.derived_date - *twin->derived_date)
                           : Duration(0);
    if (apart > milliseconds(50))
      out.push_back({56, name_of(segment) + " starts " + std::to_string(to_seconds(apart)) + " s apart"});
  }
  if (common == 0) out.push_back({56, "no common segment"});
  if (one.last_msn() && other.last_msn()) {
    const auto apart =
        static_cast<std::int64_t>(*one.last_msn()) - static_cast<std::int64_t>(*other.last_msn());
    if (apart < -1 || apart > 1)
      out.push_back({57, "the edges are " + std::to_string(apart) + " segments apart"});
  }
  return out;
}

}  // namespace lookback::support
