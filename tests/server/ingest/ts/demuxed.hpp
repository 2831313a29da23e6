#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "server/ingest/ts/demuxer.hpp"

namespace lookback::support {

/// What a demuxer makes of bytes that come in pieces.
struct Demuxed {
  std::vector<packager::TrackFormat> formats;
  std::vector<packager::SourceSample> video, audio;
  std::vector<packager::SourceCue> cues;
  std::vector<server::IngestEvent> events;
  std::vector<std::vector<packager::SourceTrack>> lists;  ///< each that the program was changed to
  std::vector<std::string> notes;
  server::ts::Counts counts;
  std::size_t most_held = 0;
};

inline Demuxed demux(std::string_view bytes, std::size_t piece = 1'316,
                     server::ts::Demuxer::Options options = {}) {
  server::ts::Demuxer demuxer(options);
  Demuxed out;
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    demuxer.feed(as_bytes(part), out.events);
    out.most_held = std::max(out.most_held, demuxer.held_bytes());
  }
  demuxer.finish(out.events);
  for (const auto& event : out.events) {
    if (const auto* change = std::get_if<server::FormatChange>(&event)) {
      out.formats.push_back(change->format);
      continue;
    }
    if (const auto* cue = std::get_if<packager::SourceCue>(&event)) {
      out.cues.push_back(*cue);
      continue;
    }
    if (const auto* list = std::get_if<server::TrackList>(&event)) {
      out.lists.push_back(list->tracks);
      continue;
    }
    const auto& sample = std::get<packager::SourceSample>(event);
    (sample.kind == packager::MediaKind::video ? out.video : out.audio).push_back(sample);
  }
  out.notes = demuxer.take_notes();
  out.counts = demuxer.counts();
  return out;
}

inline std::string text_of(const packager::SourceSample& sample) {
  return std::string(sample.payload.text());
}

}  // namespace lookback::support
