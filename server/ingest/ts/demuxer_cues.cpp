// The demuxer's way of SCTE-35 sections.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "server/ingest/ts/demuxer.hpp"
#include "server/ingest/ts/scte35.hpp"

namespace lookback::server::ts {
namespace {

constexpr std::size_t max_cue_pids = 4;

packager::SourceCue::Kind kind_of(const Splice& splice) {
  using Kind = packager::SourceCue::Kind;
  switch (splice.kind) {
    case Splice::Kind::out:
      return Kind::out;
    case Splice::Kind::in:
      return Kind::in;
    case Splice::Kind::cancel:
      return Kind::cancel;
    case Splice::Kind::command:
      break;
  }
  return Kind::command;
}

std::string hexadecimal(ByteSpan bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes)
    fmt::format_to(std::back_inserter(out), "{:02X}", std::to_integer<unsigned>(byte));
  return out;
}

}  // namespace

void Demuxer::choose_cues(const std::vector<StreamInfo>& streams) {
  const auto names = [&](std::uint16_t pid) {
    return std::ranges::any_of(
        streams, [&](const StreamInfo& info) { return info.pid == pid && info.kind == StreamKind::scte35; });
  };
  for (auto entry = cues_.begin(); entry != cues_.end();) {
    if (names(entry->first)) {
      ++entry;
      continue;
    }
    counts_.bad_sections += entry->second.sections.damaged();
    entry = cues_.erase(entry);
  }
  for (const auto& info : streams) {
    if (info.kind != StreamKind::scte35 || cues_.size() == max_cue_pids) continue;
    cues_.try_emplace(info.pid, Table{SectionReader(max_splice_section_bytes), {}});
  }
}

/// A time that the media's clock does not know yet is of no use.
void Demuxer::take_cue(ByteSpan section, std::vector<IngestEvent>& out) {
  const auto splices = parse_splice_section(section);
  if (!splices) {
    ++counts_.bad_sections;
    return;
  }
  for (const auto& splice : *splices) {
    packager::SourceCue cue;
    cue.kind = kind_of(splice);
    cue.event = splice.event;
    if (splice.pts) {
      const auto pts = clock_.near(*splice.pts);
      if (!pts) {
        ++counts_.early_units;
        continue;
      }
      cue.pts_us = ticks_to_us(*pts);
    }
    if (splice.duration) cue.duration_us = ticks_to_us(static_cast<std::int64_t>(*splice.duration));
    cue.section = hexadecimal(section);
    ++counts_.cues;
    fresh_.emplace_back(std::move(cue));
  }
  pass(out);
}

}  // namespace lookback::server::ts
