#include "packager/cue_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>

#include "packager/hls/text.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t max_entries = 64;

/// Cues are sent several times before they take effect. One with a time has the same each time, but for the
/// clock's slow correction; one without has the time of its arrival.
constexpr std::int64_t same_time_us = 1'000'000, same_arrival_us = 10'000'000;

std::string list_of(const std::string& id, std::int64_t start_us) {
  auto out = fmt::format("ID=\"{}\",START-DATE=\"", id);
  hls::append_date_time(out, start_us);
  return out.append(1, '"');
}

void add_seconds(std::string& out, std::string_view name, std::int64_t us) {
  out.append(1, ',').append(name).append(1, '=');
  hls::append_seconds(out, us);
}

void add_section(std::string& out, std::string_view name, const SourceCue& cue) {
  out.append(1, ',').append(name).append("=0x").append(cue.section);
}

}  // namespace

std::optional<store::DateRangeRecord> CueBook::enter(const SourceCue& cue, Time time) {
  switch (cue.kind) {
    case SourceCue::Kind::in:
    case SourceCue::Kind::cancel:
      return end(cue, time);
    case SourceCue::Kind::out:
    case SourceCue::Kind::command:
      break;
  }
  return begin(cue, time);
}

CueBook::Entry* CueBook::newest_of(const std::string& event) {
  const auto found =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& e) { return e.event == event; });
  return found == entries_.rend() ? nullptr : &*found;
}

/// A cancellation names the event; the breaks of a segmentation event are `event-type`.
CueBook::Entry* CueBook::cancelled_by(const std::string& event) {
  std::set<std::string_view> seen;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    const bool is_about = entry->event == event || entry->event.starts_with(event + "-");
    if (is_about && seen.insert(entry->event).second && !entry->end_us) return &*entry;
  }
  return nullptr;
}

bool CueBook::is_repeated(const SourceCue& cue, std::int64_t told_us, std::int64_t date_us) {
  return std::llabs(date_us - told_us) <= (cue.pts_us ? same_time_us : same_arrival_us);
}

void CueBook::remember(Entry entry) {
  if (entries_.size() == max_entries) entries_.pop_front();
  entries_.push_back(std::move(entry));
}

/// A new date range.
std::optional<store::DateRangeRecord> CueBook::begin(const SourceCue& cue, Time time) {
  const auto date_us = time.date_us;
  const auto* known = newest_of(cue.event);
  if (known && is_repeated(cue, known->start_us, date_us)) return std::nullopt;
  const bool is_break = cue.kind == SourceCue::Kind::out;
  store::DateRangeRecord range;
  range.id = fmt::format("{}-{}", cue.event, date_us / 1'000);  // events are used again, ids must not be
  range.start_us = date_us;
  if (!is_break) range.end_us = date_us;
  if (is_break && cue.duration_us) range.end_us = date_us + *cue.duration_us;
  range.attributes = list_of(range.id, date_us);
  if (is_break && cue.duration_us) add_seconds(range.attributes, "PLANNED-DURATION", *cue.duration_us);
  add_section(range.attributes, is_break ? "SCTE35-OUT" : "SCTE35-CMD", cue);
  remember({range.id, cue.event, date_us, time.media_us, is_break ? std::nullopt : std::optional(date_us)});
  return range;
}

/// A second tag for a break that is known. Its end without a beginning is a command like others.
std::optional<store::DateRangeRecord> CueBook::end(const SourceCue& cue, Time time) {
  const bool is_cancel = cue.kind == SourceCue::Kind::cancel;
  auto* known = is_cancel ? cancelled_by(cue.event) : newest_of(cue.event);
  if (is_cancel && !known) return std::nullopt;
  if (known && known->end_us && is_repeated(cue, *known->end_us, time.date_us)) return std::nullopt;
  if (!known || known->end_us) {
    auto command = cue;
    command.kind = SourceCue::Kind::command;
    return begin(command, time);
  }
  const auto lasted_us = known->media_us ? time.media_us - *known->media_us : time.date_us - known->start_us;
  known->end_us = known->start_us + (is_cancel ? 0 : std::max<std::int64_t>(lasted_us, 0));
  store::DateRangeRecord range{known->id, known->start_us, *known->end_us,
                               list_of(known->id, known->start_us)};
  add_seconds(range.attributes, "DURATION", *known->end_us - known->start_us);
  add_section(range.attributes, is_cancel ? "SCTE35-CMD" : "SCTE35-IN", cue);
  return range;
}

void CueBook::restore(const store::DateRangeRecord& range) {
  const auto event = range.id.substr(0, range.id.rfind('-'));
  const bool is_break = range.attributes.find(",SCTE35-OUT=") != std::string::npos;
  if (is_break) return remember({range.id, event, range.start_us, {}, {}});
  const auto known = std::ranges::find(entries_, range.id, &Entry::id);
  if (known != entries_.end()) {
    known->end_us = range.end_us;
  } else {
    remember({range.id, event, range.start_us, {}, range.end_us});
  }
}

}  // namespace lookback::packager
