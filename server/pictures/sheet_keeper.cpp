#include "server/pictures/sheet_keeper.hpp"

#include <algorithm>

#include "server/archive/lead.hpp"

namespace lookback::server::pictures {
namespace {

namespace hls = packager::hls;

/// The first key picture that begins in the newest tile that has one.
std::optional<KeyPictures> newest_tile(const hls::Presentation& presentation, std::int64_t interval_us) {
  const auto latest = latest_key_picture(presentation);
  if (!latest) return {};
  const auto start_us = latest->pdt_us - latest->pdt_us % interval_us;
  auto first = nearest_key_picture(presentation, start_us);
  // The nearest one may lie just before; the tile's own are few.
  const auto& lead = archive::lead_of(presentation);
  for (auto msn = first ? first->msn : latest->msn; first && first->pdt_us < start_us && msn < latest->msn;) {
    const auto time = lead.time_of(++msn);
    if (time && time->pdt_us >= start_us && time->sync && !time->gap)
      first = nearest_key_picture(presentation, time->pdt_us);
  }
  return first && first->pdt_us >= start_us ? first : latest;
}

}  // namespace

std::vector<std::uint32_t> widths_of(const Options& options) {
  if (options.sheet_widths == "160") return {160};
  if (options.sheet_widths == "320") return {320};
  return {160, 320};
}

void SheetKeeper::look(const std::vector<StreamStatus>& statuses, std::int64_t now_us) {
  for (auto& [id, stream] : streams_) stream.seen = false;
  for (const auto& status : statuses) {
    if (!status.settings || !status.settings->values.thumbs.enabled || !status.presentation) continue;
    auto& stream = streams_[status.id];
    stream.seen = true;
    look(status, stream, now_us);
  }
  std::erase_if(streams_, [](const auto& item) { return !item.second.seen; });
}

void SheetKeeper::look(const StreamStatus& status, Stream& stream, std::int64_t now_us) {
  const auto interval_ms = static_cast<std::uint32_t>(status.settings->values.thumbs.interval.count());
  const auto pictures = newest_tile(*status.presentation, std::int64_t{interval_ms} * 1'000);
  if (!pictures) return;
  const auto tile = static_cast<std::uint64_t>(pictures->pdt_us) / (std::uint64_t{interval_ms} * 1'000);
  if (stream.interval_ms != interval_ms) stream = {interval_ms, 0, tile / store::sheet_cells, 0, 0, true};
  if (stream.tile != tile) {
    stream.tile = tile;
    maker_.prepare_tiles(status.name, status.generation, *pictures, widths_);
  }
  // The stream may end inside of a sheet: that is finished when its time is over.
  const auto& lead = archive::lead_of(*status.presentation);
  const auto last = lead.last_msn() ? lead.time_of(*lead.last_msn()) : std::nullopt;
  const auto newest_us = last ? std::optional(last->end_us()) : std::nullopt;
  const auto newest_sheet = tile / store::sheet_cells;
  if (stream.sheet > newest_sheet) return;
  if (!is_settled(sheet_end_us(stream.sheet, interval_ms), newest_us, now_us)) return;
  if (now_us < stream.next_us) return;
  const bool over = finish_sheet(status, stream) || stream.attempts == max_attempts;
  constexpr std::int64_t pause_us = 1'000'000;
  stream.next_us = over ? 0 : now_us + (pause_us << stream.attempts);
  stream.attempts = over ? 0 : stream.attempts + 1;
  if (over) stream.sheet = std::max(stream.sheet + 1, newest_sheet);
}

/// True: all that is wanted of it is stored; else its making has begun.
bool SheetKeeper::finish_sheet(const StreamStatus& status, const Stream& stream) {
  bool stored = true;
  for (const auto width : widths_) {
    const auto known = store_.find_sheet({status.id, width, stream.interval_ms, stream.sheet});
    if (known && *known) continue;
    stored = false;
    SheetMaker::Wanted wanted{
        status.name, status.id, {status.generation, width, stream.interval_ms, stream.sheet, {}}};
    maker_.get(std::move(wanted), [](const SheetMaker::Outcome&) {});
  }
  return stored;
}

}  // namespace lookback::server::pictures
