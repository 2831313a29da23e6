#include "server/ingest/ts/demuxer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lookback::server::ts {
namespace {

constexpr std::uint16_t pat_pid = 0;

/// More different notes than this are a source that changes its tables all the time.
constexpr std::size_t max_notes = 64;

/// Whether a PID's class still fits what its table says now.
bool goes_on(const StreamInfo& now, const StreamInfo& before) {
  return now.kind == before.kind && now.opus_channels == before.opus_channels;
}

using packager::MediaKind;
using packager::SourceTrack;

void name_track(IngestEvent& event, SourceTrack track, const std::string& language) {
  if (auto* change = std::get_if<FormatChange>(&event)) {
    change->number = track.number;
    if (track.kind == MediaKind::audio) change->format.language = language;
  } else if (auto* sample = std::get_if<packager::SourceSample>(&event)) {
    sample->number = track.number;
  }
}

std::string title(const StreamInfo& info) {
  return fmt::format("PID {} ({}{}{})", info.pid, info.name, info.language.empty() ? "" : ", ",
                     info.language);
}

}  // namespace

void Demuxer::feed(ByteSpan bytes, std::vector<IngestEvent>& out) {
  packets_.feed(bytes, [&](ByteSpan packet_span) {
    ++counts_.packets;
    const auto packet = parse_packet(packet_span);
    // A packet that is marked as damaged may not even have the PID that it shows: it is as good as lost.
    if (!packet || packet->damaged || packet->scrambled) {
      ++counts_.bad_packets;
    } else if (packet->pid != null_pid) {
      take(*packet, out);
    }
  });
}

void Demuxer::take(const Packet& packet, std::vector<IngestEvent>& out) {
  if (packet.pid == pat_pid) return take_table(pat_, packet, out);
  if (program_ && packet.pid == program_->pmt_pid) return take_table(pmt_, packet, out);
  if (const auto found = carried_.find(packet.pid); found != carried_.end()) {
    return take_media(found->second, packet, out);
  }
  if (const auto found = cues_.find(packet.pid); found != cues_.end()) {
    return take_table(found->second, packet, out);
  }
  ++counts_.ignored_packets;
}

// --- tables ---------------------------------------------------------------------------------------

void Demuxer::take_table(Table& table, const Packet& packet, std::vector<IngestEvent>& out) {
  const auto verdict = table.continuity.check(packet);
  if (verdict == Continuity::Verdict::duplicate) return;
  if (verdict == Continuity::Verdict::lost) table.sections.lose();
  // Taken when the packet is done: a section of the PAT may begin the other table anew.
  std::vector<std::vector<std::byte>> whole;
  table.sections.push(packet, [&](ByteSpan section) { whole.emplace_back(section.begin(), section.end()); });
  for (const auto& section : whole) take_section(packet.pid, section, out);
}

void Demuxer::take_section(std::uint16_t pid, ByteSpan section, std::vector<IngestEvent>& out) {
  if (pid == pat_pid) {
    take_pat(section);
  } else if (program_ && pid == program_->pmt_pid) {
    take_pmt(section, out);
  } else {
    take_cue(section, out);
  }
}

/// The first program is taken, and kept as long as a PAT names it.
void Demuxer::take_pat(ByteSpan section) {
  const auto programs = parse_pat(section);
  if (programs.empty()) return;
  const auto is_ours = [&](const Program& p) { return program_ && p.number == program_->number; };
  const auto known = std::ranges::find_if(programs, is_ours);
  const auto& chosen = known != programs.end() ? *known : programs.front();
  if (programs.size() > 1) {
    note(fmt::format("the stream has {} programs: number {} is taken", programs.size(), chosen.number));
  }
  if (program_ && program_->number == chosen.number && program_->pmt_pid == chosen.pmt_pid) return;
  program_ = chosen;
  counts_.bad_sections += pmt_.sections.damaged();
  pmt_ = {};
}

void Demuxer::take_pmt(ByteSpan section, std::vector<IngestEvent>& out) {
  const auto pmt = parse_pmt(section);
  if (!pmt || !program_ || pmt->program != program_->number || pmt->streams == streams_) return;
  choose(pmt->streams, out);
  choose_cues(pmt->streams);
  streams_ = pmt->streams;
}

/// All video and audio PIDs whose codec is packaged; one that goes on as it was keeps its unit in hand.
void Demuxer::choose(const std::vector<StreamInfo>& streams, std::vector<IngestEvent>& out) {
  std::map<std::uint16_t, StreamInfo> wanted;
  for (const auto& info : streams) {
    if (info.kind == StreamKind::scte35) continue;
    if (!carries(info)) {
      if (refused_.contains(info.pid)) continue;  // said already
      note(fmt::format("{} is not carried: its packets are counted and dropped", title(info)));
    } else if (info.pid == pat_pid || info.pid == program_->pmt_pid) {
      note(fmt::format("{} is not carried: its PID has tables", title(info)));
    } else if (wanted.size() == options_.max_tracks) {
      note(fmt::format("{} is not carried: limits.max_tracks are taken", title(info)));
    } else {
      wanted.emplace(info.pid, info);
    }
  }
  const auto old = streams_;
  for (const auto& info : old) {
    const auto found = wanted.find(info.pid);
    if (found == wanted.end() || !goes_on(found->second, info) || found->second.language != info.language) {
      drop(info.pid, out);
    }
  }
  for (const bool known_pid : {true, false}) {
    for (const auto& info : streams) {
      if (!wanted.contains(info.pid)) continue;
      if (const auto known = carried_.find(info.pid); known != carried_.end()) {
        known->second.info = info;
      } else if (const auto track = track_of(info, known_pid)) {
        add(info, *track);
      }
    }
  }
  TrackList list;
  for (const auto& info : streams)
    if (wanted.contains(info.pid)) list.tracks.push_back(carried_.at(info.pid).track);
  gate_.expect_video(std::ranges::any_of(
      list.tracks, [](const SourceTrack& track) { return track.kind == MediaKind::video; }));
  out.emplace_back(std::move(list));
}

/// A PID keeps its track, also with another codec, while its kind and language stay: a player goes on in it.
/// On another PID the kind and language take up a track that is free; else it is a new one. Empty: `by_pid`
/// finds none.
std::optional<SourceTrack> Demuxer::track_of(const StreamInfo& info, bool by_pid) {
  const auto kind = is_video(info.kind) ? MediaKind::video : MediaKind::audio;
  SourceTrack track{kind, 0};
  const auto is_free = [&](SourceTrack one) {
    return std::ranges::none_of(carried_, [&](const auto& entry) { return entry.second.track == one; });
  };
  const auto goes_on = [&](const std::pair<StreamInfo, SourceTrack>& one) {
    return one.second.kind == kind && one.first.language == info.language &&
           (!by_pid || one.first.pid == info.pid) && is_free(one.second);
  };
  const auto known = std::ranges::find_if(history_, goes_on);
  if (known != history_.end()) {
    known->first = info;
    return known->second;
  }
  if (by_pid) return std::nullopt;
  const auto is_new = [&](SourceTrack one) {
    return std::ranges::find(history_, one, &std::pair<StreamInfo, SourceTrack>::second) == history_.end();
  };
  constexpr std::size_t max_history = 64;
  if (history_.size() == max_history)
    std::erase_if(history_, [&](const auto& one) { return is_free(one.second); });
  while (!is_new(track)) ++track.number;
  history_.emplace_back(info, track);
  return track;
}

void Demuxer::add(const StreamInfo& info, packager::SourceTrack track) {
  carried_.emplace(info.pid, Carried{info,
                                     track,
                                     {},
                                     PesReader(options_.max_unit_bytes, is_video(info.kind)),
                                     make_elementary_stream(info, counts_)});
}

/// Whether there is a class for it, and none of its kind has turned out to hold something else.
bool Demuxer::carries(const StreamInfo& info) {
  const auto known = refused_.find(info.pid);
  if (known != refused_.end() && known->second == info.kind) return false;
  return make_elementary_stream(info, counts_) != nullptr;
}

/// Its frames say what its table could not: its track leaves the session.
void Demuxer::refuse(StreamInfo info, const std::string& what, std::vector<IngestEvent>& out) {
  note(fmt::format("{} is not carried: it is {}", title(info), what));
  refused_[info.pid] = info.kind;
  drop(info.pid, out);
  choose(streams_, out);
}

void Demuxer::drop(std::uint16_t pid, std::vector<IngestEvent>& out) {
  const auto found = carried_.find(pid);
  if (found == carried_.end()) return;
  auto& gone = found->second;
  gone.pes.end([&](const PesUnit& unit) { take_unit(gone, unit, out); });
  counts_.lost_packets += gone.continuity.lost_packets();
  counts_.damaged_units += gone.pes.damaged();
  carried_.erase(found);
}

void Demuxer::note(std::string line) {
  if (noted_.size() == max_notes || std::ranges::find(noted_, line) != noted_.end()) return;
  noted_.push_back(line);
  notes_.push_back(std::move(line));
}

// --- media ----------------------------------------------------------------------------------------

void Demuxer::take_media(Carried& carried, const Packet& packet, std::vector<IngestEvent>& out) {
  const auto verdict = carried.continuity.check(packet);
  if (verdict == Continuity::Verdict::duplicate) {
    ++counts_.duplicate_packets;
    return;
  }
  if (verdict == Continuity::Verdict::lost) {
    carried.pes.lose();
    carried.stream->lose();
  }
  carried.pes.push(packet, [&](const PesUnit& unit) { take_unit(carried, unit, out); });
  if (const auto what = carried.stream->refusal(); !what.empty()) refuse(carried.info, what, out);
}

void Demuxer::take_unit(Carried& carried, const PesUnit& unit, std::vector<IngestEvent>& out) {
  TimedUnit timed{
      .timed = unit.pts.has_value(), .random_access = unit.random_access, .payload = unit.payload};
  if (timed.timed) {
    timed.dts = clock_.unwrap(*unit.dts);
    timed.pts = timed.dts + step_between(*unit.dts, *unit.pts);
  }
  carried.stream->take(timed, fresh_);
  for (auto& event : fresh_) name_track(event, carried.track, carried.info.language);
  pass(out);
}

void Demuxer::pass(std::vector<IngestEvent>& out) {
  for (auto& event : fresh_) gate_.push(std::move(event), out);
  fresh_.clear();
}

void Demuxer::finish(std::vector<IngestEvent>& out) {
  for (auto& entry : carried_) {
    auto& carried = entry.second;
    carried.pes.end([&](const PesUnit& unit) { take_unit(carried, unit, out); });
  }
}

Counts Demuxer::counts() const {
  auto sum = counts_;
  sum.skipped_bytes = packets_.skipped_bytes();
  sum.bad_sections += pat_.sections.damaged() + pmt_.sections.damaged();
  for (const auto& [pid, cues] : cues_) sum.bad_sections += cues.sections.damaged();
  for (const auto& [pid, carried] : carried_) {
    sum.lost_packets += carried.continuity.lost_packets();
    sum.damaged_units += carried.pes.damaged();
  }
  return sum;
}

std::size_t Demuxer::held_bytes() const {
  std::size_t sum = 0;
  for (const auto& [pid, carried] : carried_) sum += carried.pes.held_bytes();
  return sum;
}

}  // namespace lookback::server::ts
