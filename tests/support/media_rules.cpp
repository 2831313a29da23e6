#include "tests/support/media_rules.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace lookback::support {
namespace {

using std::chrono::milliseconds;

/// Of CMAF's bindings of the codecs that are packaged.
const std::vector<std::string> sample_entries{"avc1", "hvc1", "av01", "vp09", "mp4a",
                                              "Opus", "ac-3", "ec-3", "fLaC"};
constexpr std::uint32_t default_base_is_moof = 0x020000, base_data_offset_present = 0x1;

class MediaCheck {
 public:
  explicit MediaCheck(const RenditionLog& log) : log_(log) {}

  Violations run() {
    const auto parts = log_.parts();
    for (const auto& [msn, segment] : log_.segments()) {
      if (segment.gap) continue;
      name_ = log_.track + " segment " + std::to_string(msn);
      try {
        check_init(segment.map);
        check_segment(segment, parts.contains(msn) ? parts.at(msn) : std::vector<PartEntry>());
      } catch (const std::exception& malformed) {
        fail(61, malformed.what());
      }
    }
    return std::move(out_);
  }

 private:
  void fail(int rule, const std::string& what) { out_.push_back({rule, name_ + ": " + what}); }

  const InitTrack& track() const { return init_.tracks.front(); }
  Duration time(std::int64_t ticks) const {
    return Duration(
        static_cast<std::int64_t>(std::llround(static_cast<double>(ticks) * 1e9 / track().timescale)));
  }

  void check_init(const std::string& map) {
    if (map == map_) return;
    map_ = map;
    init_ = parse_init(log_.bytes(map));
    const auto brand = [&](const char* name) {
      return std::ranges::find(init_.brands, name) != init_.brands.end();
    };
    const bool modern =
        brand("iso6") || brand("iso7") || brand("iso8") || brand("iso9") || brand("cmfc") || brand("cmf2");
    if (!modern) fail(58, "no brand compatible with iso6");
    if (init_.top_level != std::vector<std::string>{"ftyp", "moov"}) fail(58, "not ftyp, moov alone");
    if (init_.mvhd_duration != 0) fail(58, "mvhd has a duration");
    if (init_.tracks.size() != 1) fail(58, std::to_string(init_.tracks.size()) + " tracks");
    for (const auto& track : init_.tracks) {
      if (!track.trex) fail(58, "no trex");
      if (track.tkhd_duration != 0 || track.mdhd_duration != 0) fail(58, "tkhd or mdhd has a duration");
      if (track.listed_samples != 0) fail(58, "sample tables are not empty");
      const auto& known = sample_entries;
      if (std::ranges::find(known, track.entry) == known.end()) fail(60, "sample entry " + track.entry);
      if (track.config.empty()) fail(60, "no decoder configuration");
      if (track.entry_count != 1) fail(60, "not one sample entry");
      if (track.edit_list) fail(67, "an edit list beside composition offsets");
      if (track.handler == "soun" && track.timescale != track.sample_rate)
        fail(69, "audio timescale is not the rate");
    }
  }

  void check_segment(const SegmentEntry& segment, const std::vector<PartEntry>& parts) {
    const auto& bytes = log_.bytes(segment.uri);
    if (bytes.empty()) return fail(70, "was not fetched");
    const auto media = parse_media(bytes);
    if (media.fragments.empty()) return fail(61, "no moof");
    std::int64_t duration = 0;
    const bool follows =
        expected_ && !(segment.discontinuity && segment.discontinuity_sequence != discontinuity_);
    discontinuity_ = segment.discontinuity_sequence;
    if (!follows) expected_.reset();
    for (const auto& fragment : media.fragments) {
      check_fragment(fragment);
      duration += fragment.duration();
    }
    const auto error = std::chrono::abs(time(duration) - segment.duration);
    drift_ += segment.duration - time(duration);
    if (error > milliseconds(2)) fail(29, "EXTINF is off by " + std::to_string(to_seconds(error)) + " s");
    if (std::chrono::abs(drift_) > milliseconds(10))
      fail(28, "EXTINFs drift by " + std::to_string(to_seconds(drift_)) + " s");
    check_start(media);
    if (!parts.empty()) check_parts(segment, bytes, parts, media);
  }

  void check_fragment(const Fragment& fragment) {
    if (fragment.trafs != 1 || fragment.truns != 1) fail(64, "not one traf and one trun in a moof");
    if (!fragment.samples_fill_mdat) fail(64, "samples do not lie in the mdat behind their moof");
    if (fragment.samples.empty()) return fail(64, "a moof without samples");
    if (fragment.traf_order.size() < 3 || fragment.traf_order[0] != "tfhd" ||
        fragment.traf_order[1] != "tfdt") {
      fail(61, "not tfhd, tfdt, trun in a traf");
    }
    if ((fragment.tfhd_flags & default_base_is_moof) == 0) fail(61, "default-base-is-moof is not set");
    if ((fragment.tfhd_flags & base_data_offset_present) != 0) fail(61, "an absolute base data offset");
    if (fragment.track_id != track().id) fail(61, "another track id than the init's");
    if (fragment.tfdt_version != 1) fail(63, "tfdt has 32 bits");
    if (expected_ && fragment.decode_time != *expected_) {
      fail(62, "tfdt " + std::to_string(fragment.decode_time) + ", expected " + std::to_string(*expected_));
    }
    expected_ = fragment.decode_time + fragment.duration();
    for (const auto& sample : fragment.samples) {
      if (sample.duration == 0) fail(62, "a sample of duration 0");
      if (sample.data.empty()) fail(61, "an empty sample");
      if (track().entry == "avc1")
        check_sync(sample);
      else if (track().handler == "vide")
        continue;
      else if (!sample.sync())
        fail(66, "an audio sample that is no sync sample");
    }
  }

  /// A sync sample is an IDR picture, or a recovery point of an open GOP (an SEI before the picture says so),
  /// which a player can start at when it drops the leading pictures. An IDR picture always is one.
  void check_sync(const SampleEntry& sample) {
    const auto types = nal_types(sample.data);
    const auto has = [&](int type) { return std::ranges::find(types, type) != types.end(); };
    constexpr int idr = 5, sei = 6;
    if (has(idr) && !sample.sync()) fail(66, "an IDR picture that is no sync sample");
    if (sample.sync() && !has(idr) && !has(sei))
      fail(66, "a sync sample without IDR picture or recovery point");
  }

  void check_start(const MediaFile& media) {
    const bool sync = media.fragments.front().samples.front().sync();
    if (!sync) fail(16, "does not start with a sync sample");
  }

  void check_parts(const SegmentEntry& segment, const std::string& bytes, const std::vector<PartEntry>& parts,
                   const MediaFile& media) {
    std::string joined;
    std::size_t samples = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto& content = log_.bytes(parts[i].uri);
      if (content.empty()) return fail(70, "part " + parts[i].uri + " was not fetched");
      joined += content;
      samples += check_part(parts[i], parse_media(content));
    }
    std::size_t in_segment = 0;
    for (const auto& fragment : media.fragments) in_segment += fragment.samples.size();
    // A playlist may have listed the segment before all its parts were seen; the longest list must then be
    // whole.
    if (samples != in_segment)
      fail(82, std::to_string(samples) + " samples in parts, " + std::to_string(in_segment) + " in " +
                   segment.uri);
    if (joined != bytes) fail(83, "the parts' bytes are not the segment's");
  }

  std::size_t check_part(const PartEntry& part, const MediaFile& media) {
    std::int64_t duration = 0;
    std::size_t samples = 0;
    bool first = true, starts_with_sync = false;
    for (const auto& type : media.top_level) {
      if (type == "sidx") fail(65, "a sidx inside of a part");
    }
    if (media.fragments.size() != 1) fail(64, part.uri + " has not one moof");
    for (const auto& fragment : media.fragments) {
      duration += fragment.duration();
      samples += fragment.samples.size();
      for (const auto& sample : fragment.samples) {
        if (first) starts_with_sync = sample.sync();
        first = false;
      }
    }
    if (std::chrono::abs(time(duration) - part.duration) > milliseconds(2))
      fail(79, part.uri + " has another duration");
    if (part.independent && !starts_with_sync) fail(80, part.uri + " is marked independent and is not");
    // A sync sample in the middle cannot start a part of its own when the part before would be too short
    // (78).
    if (starts_with_sync && !part.independent)
      fail(81, part.uri + " starts with a sync sample and has no mark");
    return samples;
  }

  const RenditionLog& log_;
  std::string name_, map_;
  InitSegment init_;
  std::optional<std::int64_t> expected_;  ///< tfdt of the next fragment
  std::uint64_t discontinuity_ = 0;
  Duration drift_{};
  Violations out_;
};

}  // namespace

Violations check_media(const RenditionLog& log) { return MediaCheck(log).run(); }

Violations check_all(const RenditionLog& log) {
  auto violations = log.violations();
  const auto media = check_media(log);
  violations.insert(violations.end(), media.begin(), media.end());
  return violations;
}

std::vector<SampleEntry> samples_of(const RenditionLog& log) {
  std::vector<SampleEntry> all;
  for (const auto& [msn, segment] : log.segments()) {
    if (segment.gap) continue;
    for (const auto& fragment : parse_media(log.bytes(segment.uri)).fragments) {
      all.insert(all.end(), fragment.samples.begin(), fragment.samples.end());
    }
  }
  return all;
}

std::string concatenation(const RenditionLog& log) {
  const auto segments = log.segments();
  std::string bytes, map;
  for (const auto& [msn, segment] : segments) {
    if (segment.gap) continue;
    if (map.empty()) bytes = log.bytes(map = segment.map);
    if (segment.map == map) bytes += log.bytes(segment.uri);
  }
  return bytes;
}

}  // namespace lookback::support
