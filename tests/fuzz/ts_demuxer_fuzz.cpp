// A transport stream in pieces whose size its first byte tells. What comes out must be whole: NAL units that
// fill their sample, sound of a bounded size, media behind its format; memory must stay bounded.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <vector>

#include "server/ingest/ts/demuxer.hpp"

using namespace lookback;
using namespace lookback::server;
using packager::MediaKind;

namespace {

constexpr std::size_t max_unit = 64u << 10;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_nal_units(ByteSpan media) {
  while (!media.empty()) {
    require(media.size() > 4);
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | std::to_integer<std::size_t>(media[i]);
    require(size > 0 && size <= media.size() - 4);
    media = media.subspan(4 + size);
  }
}

void check(const std::vector<IngestEvent>& events, std::set<packager::SourceTrack>& known) {
  for (const auto& event : events) {
    if (const auto* change = std::get_if<FormatChange>(&event)) {
      known.insert({change->format.kind, change->number});
      continue;
    }
    if (const auto* list = std::get_if<TrackList>(&event)) {
      require(list->tracks.size() <= ts::Demuxer::Options{}.max_tracks);
      continue;
    }
    if (const auto* cue = std::get_if<packager::SourceCue>(&event)) {
      require(!cue->event.empty() && cue->section.size() <= 2 * 4'096);
      continue;
    }
    const auto& sample = std::get<packager::SourceSample>(event);
    require(known.contains(sample.track()) && !sample.payload.bytes.empty());
    if (sample.kind == MediaKind::video) {
      check_nal_units(sample.payload.bytes);
    } else {
      require(sample.payload.size() <= 61'440);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto input = std::as_bytes(std::span(data + 1, size - 1));
  const std::size_t piece = 1 + std::size_t{data[0]} * 8;
  ts::Demuxer demuxer({.max_unit_bytes = max_unit});
  std::vector<IngestEvent> events;
  std::set<packager::SourceTrack> known;
  while (!input.empty()) {
    const auto part = input.first(std::min(piece, input.size()));
    input = input.subspan(part.size());
    events.clear();
    demuxer.feed(part, events);
    check(events, known);
    require(demuxer.held_bytes() <= 4 * max_unit);
    for (const auto& note : demuxer.take_notes()) require(note.size() < 256);
  }
  events.clear();
  demuxer.finish(events);
  check(events, known);
  return 0;
}
