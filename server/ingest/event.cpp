#include "server/ingest/event.hpp"

namespace lookback::server {

std::size_t weight(const IngestEvent& event) {
  constexpr std::size_t overhead_bytes = 64;
  if (const auto* sample = std::get_if<packager::SourceSample>(&event))
    return overhead_bytes + sample->payload.size();
  if (const auto* cue = std::get_if<packager::SourceCue>(&event)) return overhead_bytes + cue->section.size();
  if (std::holds_alternative<TrackList>(event)) return overhead_bytes;
  return sizeof(FormatChange) + std::get<FormatChange>(event).format.config.size();
}

}  // namespace lookback::server
