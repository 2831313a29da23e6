#include "tests/server/ingest/ts/damage.hpp"

#include <catch2/catch_test_macros.hpp>
#include <map>

#include "packager/media/ticks.hpp"
#include "packager/mp4/moof_reader.hpp"
#include "packager/stream_packager.hpp"
#include "tests/server/ingest/ts/demuxed.hpp"
#include "tests/server/ingest/ts/encoded.hpp"
#include "tests/support/mutations.hpp"

using namespace lookback;
using namespace lookback::packager;
using namespace lookback::support;

namespace {

std::string read_clip(const std::string& name) { return read_file(clip(name)); }

void check_sample(const SourceSample& sample) {
  REQUIRE(!sample.payload.bytes.empty());
  if (sample.kind == MediaKind::audio) {
    REQUIRE(sample.payload.size() <= 61'440);  // the longest Opus packet; those of the others are shorter
    return;
  }
  auto rest = sample.payload.bytes;
  while (!rest.empty()) {
    REQUIRE(rest.size() > 4);
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | std::to_integer<std::size_t>(rest[i]);
    REQUIRE(size > 0);
    REQUIRE(size <= rest.size() - 4);
    rest = rest.subspan(4 + size);
  }
  REQUIRE(sample.composition_us >= 0);
  REQUIRE(sample.composition_us <= 10'000'000);
}

/// Every segment with its parts, as the store would get them.
struct Written {
  std::map<std::pair<int, std::uint64_t>, store::SegmentRecord> segments;
  std::map<std::pair<int, std::uint64_t>, std::vector<std::vector<std::byte>>> parts;
  std::map<int, std::uint32_t> timescales;
  std::uint32_t target_duration_s = 0;
};

void write(Outputs& outputs, Written& written) {
  for (auto& output : outputs) {
    if (const auto* record = std::get_if<store::StreamRecord>(&output)) {
      written.target_duration_s = record->target_duration_s;
    } else if (const auto* append = std::get_if<store::Append>(&output)) {
      const auto key = std::pair(int{append->track}, append->segment.msn);
      written.segments[key] = append->segment;
      written.timescales[append->track] = append->timescale;
      if (!append->bytes.empty()) written.parts[key].push_back(flatten(append->bytes));
    }
  }
  outputs.clear();
}

Written package(const Demuxed& source) {
  store::StreamRecord record;
  record.id = 1;
  record.name = "live/x";
  record.epoch_us = 1'000'000'000'000'000;
  Outputs outputs;
  StreamPackager packager({}, record, {}, outputs);
  Written written;
  std::int64_t now_us = record.epoch_us + 10'000'000;
  for (const auto& event : source.events) {
    now_us += 13'000;  // 40 pictures and 47 frames of sound in a second
    if (const auto* change = std::get_if<server::FormatChange>(&event)) {
      REQUIRE(packager.set_format({change->format.kind, change->number}, change->format, now_us, outputs)
                  .has_value());
    } else if (const auto* list = std::get_if<server::TrackList>(&event)) {
      packager.set_tracks(list->tracks, outputs);
    } else if (const auto* cue = std::get_if<SourceCue>(&event)) {
      packager.push(*cue);
    } else {
      REQUIRE(packager.push(std::get<SourceSample>(event), now_us, outputs).has_value());
    }
    write(outputs, written);
  }
  REQUIRE(packager.end_session(outputs).has_value());
  write(outputs, written);
  return written;
}

void check_segments(const Written& written) {
  std::map<int, std::int64_t> ends;
  for (const auto& [key, segment] : written.segments) {
    const auto [track, msn] = key;
    CAPTURE(track, msn);
    const auto duration_s = static_cast<double>(segment.duration) / written.timescales.at(track);
    REQUIRE(segment.complete);
    REQUIRE(segment.duration > 0);
    REQUIRE(duration_s < written.target_duration_s + 0.5);
    // tfdt goes on where the segment before has ended, or later.
    if (ends.contains(track)) REQUIRE(segment.start >= ends[track]);
    ends[track] = segment.start + segment.duration;
    if (segment.gap) continue;
    SampleTable table;
    std::uint32_t offset = 0;
    for (const auto& part : written.parts.at(key)) {
      const auto size = static_cast<std::uint32_t>(part.size());
      REQUIRE(read_part(part, size, offset, table).has_value());
      offset += size;
    }
  }
}

}  // namespace

TEST_CASE("damaged transport streams leave whole access units, valid segments and bounded memory",
          "[ts][damage]") {
  const auto clean = read_clip("sintel_360p25_opengop10s.ts");
  constexpr std::size_t max_unit = 1u << 20;
  std::size_t clean_pictures = demux(clean, 1'316, {.max_unit_bytes = max_unit}).video.size();
  REQUIRE(clean_pictures == 625);  // 25 s at 25 fps, as ffprobe counts
  for (const auto kind : all_damage) {
    for (std::uint32_t seed = 0; seed < 10; ++seed) {
      const unsigned per_mille = seed < 3 ? 1 : seed < 7 ? 5 : 20;
      CAPTURE(static_cast<int>(kind), seed, per_mille);
      const auto got = demux(damaged(clean, kind, per_mille, seed), 1'316, {.max_unit_bytes = max_unit});
      REQUIRE(got.most_held <= 4 * max_unit);
      for (const auto* list : {&got.video, &got.audio}) {
        for (const auto& sample : *list) check_sample(sample);
      }
      // A packet costs at most the picture that it was in and the one whose end it hides.
      if (per_mille == 1 && kind != Damage::burst) REQUIRE(got.video.size() >= clean_pictures * 8 / 10);
      check_segments(package(got));
    }
  }
}

TEST_CASE("ten thousand mutations of short transport streams pass through the demuxer", "[ts][damage]") {
  const TempDir dir;
  const auto front = [](const std::string& stream) { return stream.substr(0, 188 * 300); };
  std::vector<std::string> sources{front(read_clip("sintel_360p5994.ts"))};
  const Arguments hevc{"-c:v",      "libx265",      "-preset",
                       "ultrafast", "-x265-params", "log-level=error:keyint=12"};
  for (const auto* const sound : {"ac3", "eac3", "libmp3lame", "libopus", "mp2"}) {
    auto encoder = hevc;
    encoder.insert(encoder.end(), {"-s", "160x90", "-c:a", sound});
    sources.push_back(front(read_file(encoded(dir, std::string(sound) + ".ts", encoder))));
  }
  sources.push_back(
      front(read_file(encoded(dir, "latm.ts", {"-vn", "-c:a", "copy", "-mpegts_flags", "latm"}))));
  for (std::uint32_t done = 0; done < mutations_wanted(); ++done) {
    CAPTURE(done);
    const auto& clean = sources[done / std::size(all_damage) % sources.size()];
    const auto kind = all_damage[done % std::size(all_damage)];
    const auto got = demux(damaged(clean, kind, 20 + done % 100, done), 1 + done % 5'000);
    for (const auto* list : {&got.video, &got.audio}) {
      for (const auto& sample : *list) check_sample(sample);
    }
  }
}
