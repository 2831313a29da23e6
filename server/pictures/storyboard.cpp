#include "server/pictures/storyboard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "packager/hls/text.hpp"
#include "server/archive/lead.hpp"
#include "store/base/errc.hpp"

namespace lookback::server::pictures {
namespace {

using packager::hls::TileSpan;

constexpr std::uint64_t columns = 10;

/// Which cell shows each span.
class CellFinder {
 public:
  using SheetOf = std::function<SheetState(std::uint64_t)>;
  CellFinder(const std::vector<TileSpan>& spans, const SheetOf& sheet_of)
      : spans_(spans), sheet_of_(sheet_of) {}

  /// The span whose tile is shown at span `at`.
  std::optional<std::size_t> find(std::size_t at) {
    if (spans_[at].gap) return {};
    if (is_in_cell(at)) return at;
    for (auto i = at; i-- > 0 && is_same_session(i, at);)
      if (is_in_cell(i)) return i;
    for (auto i = at + 1; i < spans_.size() && is_same_session(i, at); ++i)
      if (is_in_cell(i)) return i;
    // A session that is shorter than a tile: what its tile shows is less than an interval away.
    for (auto i = at; i-- > 0 && spans_[i].tile == spans_[at].tile;)
      if (is_in_cell(i)) return i;
    return {};
  }
  const SheetState& sheet(std::uint64_t number) {
    const auto [at, is_new] = sheets_.try_emplace(number);
    if (is_new) at->second = sheet_of_(number);
    return at->second;
  }

 private:
  bool is_same_session(std::size_t i, std::size_t at) const {
    return !spans_[i].gap && spans_[i].discontinuity_sequence == spans_[at].discontinuity_sequence;
  }
  bool is_in_cell(std::size_t i) {
    const auto& span = spans_[i];
    if (!span.msn) return false;
    for (auto before = i; before-- > 0 && spans_[before].tile == span.tile;)
      if (spans_[before].msn) return false;
    return sheet(span.tile / store::sheet_cells).cells[span.tile % store::sheet_cells];
  }

  const std::vector<TileSpan>& spans_;
  const SheetOf& sheet_of_;
  std::map<std::uint64_t, SheetState> sheets_;
};

/// `01:02:03.456`: hours grow beyond two digits (WebVTT 3.3).
std::string cue_time(std::int64_t us) {
  const auto ms = (us + 500) / 1'000;
  return fmt::format("{:02}:{:02}:{:02}.{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1'000 % 60,
                     ms % 1'000);
}

std::string date(std::int64_t us) {
  std::string out;
  packager::hls::append_date_time(out, us);
  return out;
}

std::string seconds(std::int64_t us) {
  std::string out;
  packager::hls::append_seconds(out, (us + 500) / 1'000 * 1'000);
  return out;
}

/// Names and cells of the sheets of one storyboard.
class Sheets {
 public:
  Sheets(store::Store& store, const StoryboardSource& source, std::int64_t newest_us)
      : store_(store), source_(source), newest_us_(newest_us) {}

  SheetState state(std::uint64_t number) {
    SheetName name{source_.stream.generation, source_.width, source_.interval_ms, number, {}};
    SheetState state;
    if (is_settled(sheet_end_us(number, source_.interval_ms), newest_us_, source_.now_us)) {
      const auto stored = store_.find_sheet({source_.stream.id, source_.width, source_.interval_ms, number});
      if (stored && *stored)
        state.cells = (*stored)->cells;
      else
        state.cells.set();  // it is made when it is asked for, of all that is listed
    } else {
      const auto plan = plan_sheet(store_, source_.stream.id, source_.interval_ms, number);
      if (!plan) {
        error_ = plan.error();
        return state;
      }
      for (const auto& [cell, pictures] : plan->cells) state.cells.set(cell);
      if (!plan->cells.empty()) name.open = plan->open();
    }
    state.url = source_.prefix + to_text(name);
    return state;
  }
  boost::system::error_code error() const { return error_; }

 private:
  store::Store& store_;
  const StoryboardSource& source_;
  const std::int64_t newest_us_;
  boost::system::error_code error_;
};

}  // namespace

std::vector<Cue> make_cues(const std::vector<TileSpan>& spans, std::uint32_t width,
                           const std::function<SheetState(std::uint64_t number)>& sheet_of) {
  CellFinder cells(spans, sheet_of);
  std::vector<Cue> cues;
  std::int64_t position_us = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const auto& span = spans[i];
    const auto length_us = span.end_us - span.start_us;
    const auto shown = length_us > 0 ? cells.find(i) : std::nullopt;
    if (shown) {
      const auto tile = spans[*shown].tile;
      const auto cell = tile % store::sheet_cells;
      cues.push_back({span.start_us, span.end_us, position_us, cells.sheet(tile / store::sheet_cells).url,
                      static_cast<std::uint32_t>(cell % columns) * width,
                      static_cast<std::uint32_t>(cell / columns) * cell_height(width)});
    }
    position_us += length_us;
  }
  return cues;
}

std::string to_vtt(const Storyboard& storyboard, std::string_view suffix) {
  std::string out = "WEBVTT\n";
  if (!storyboard.ended) out += "X-PROGRAM-DATE-TIME: " + date(storyboard.base_us) + "\n";
  for (const auto& cue : storyboard.cues) {
    const auto start_us = storyboard.ended ? cue.position_us : cue.start_us - storyboard.base_us;
    const auto end_us = start_us + cue.end_us - cue.start_us;
    if (cue_time(start_us) == cue_time(end_us)) continue;  // WebVTT 3.3: a cue ends after its start
    out += fmt::format("\n{} --> {}\n{}{}#xywh={},{},{},{}\n", cue_time(start_us), cue_time(end_us), cue.url,
                       suffix, cue.x, cue.y, storyboard.tile_width, storyboard.tile_height);
  }
  return out;
}

std::string to_json(const Storyboard& storyboard, std::string_view suffix) {
  auto out = fmt::format(R"({{"tile_width":{},"tile_height":{},"interval":{},"tiles":[)",
                         storyboard.tile_width, storyboard.tile_height, storyboard.interval_ms / 1'000.0);
  for (const auto& cue : storyboard.cues) {
    out += fmt::format(R"({}{{"time":"{}","duration":{},"url":"{}{}","x":{},"y":{}}})",
                       &cue == &storyboard.cues.front() ? "" : ",", date(cue.start_us),
                       seconds(cue.end_us - cue.start_us), cue.url, suffix, cue.x, cue.y);
  }
  return out + "]}\n";
}

Result<Storyboard> make_storyboard(store::Store& store, const StoryboardSource& source) {
  if (source.presentation->renditions().empty()) return store::Errc::not_found;
  const auto& lead = archive::lead_of(*source.presentation);
  if (!lead.track().starts_with('v') || !lead.last_msn()) return store::Errc::not_found;
  const auto spans = packager::hls::tile_spans(lead, std::int64_t{source.interval_ms} * 1'000);
  if (spans.empty()) return store::Errc::not_found;
  Sheets sheets(store, source, spans.back().end_us);
  Storyboard out;
  out.tile_width = source.width;
  out.tile_height = cell_height(source.width);
  out.interval_ms = source.interval_ms;
  out.ended = lead.ended();
  out.base_us = spans.front().start_us;
  out.cues = make_cues(spans, source.width, [&](std::uint64_t number) { return sheets.state(number); });
  if (sheets.error()) return sheets.error();
  return out;
}

}  // namespace lookback::server::pictures
