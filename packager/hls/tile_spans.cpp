#include "packager/hls/tile_spans.hpp"

#include <algorithm>

#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

std::uint64_t tile_of(std::int64_t us, std::int64_t interval_us) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0) / interval_us);
}

std::int64_t start_of(std::uint64_t tile, std::int64_t interval_us) {
  return static_cast<std::int64_t>(tile) * interval_us;
}

/// The spans of one stretch.
class Divider {
 public:
  Divider(const Stretch& stretch, std::int64_t interval_us, std::vector<TileSpan>& out)
      : stretch_(stretch), interval_us_(interval_us), out_(out) {
    const auto last = tile_of(std::max(stretch.start_us, stretch.end_us - 1), interval_us);
    first_ = tile_of(stretch.start_us, interval_us);
    begin_ = out.size();
    for (auto tile = first_; tile <= last; ++tile) {
      TileSpan span;
      span.tile = tile;
      span.start_us = std::max(start_of(tile, interval_us), stretch.start_us);
      span.end_us = std::min(start_of(tile + 1, interval_us), stretch.end_us);
      span.discontinuity_sequence = stretch.discontinuity_sequence;
      span.gap = stretch.gap;
      out.push_back(span);
    }
  }

  void add(const Rendition& lead) {
    if (stretch_.gap) return;
    for (auto msn = stretch_.first_msn; msn < stretch_.end_msn; ++msn) {
      const auto time = lead.time_of(msn);
      if (!time || !time->sync || time->gap) continue;
      const auto tile = tile_of(time->pdt_us, interval_us_);
      const auto at = begin_ + (tile - std::min(tile, first_));
      if (at >= out_.size() || out_[at].msn) continue;
      out_[at].msn = msn;
      out_[at].picture_us = time->pdt_us;
    }
  }

 private:
  const Stretch& stretch_;
  const std::int64_t interval_us_;
  std::vector<TileSpan>& out_;
  std::uint64_t first_ = 0;
  std::size_t begin_ = 0;
};

/// For a span without a picture of its own: the one before in its session, or the next one.
std::optional<std::uint64_t> picture_for(const std::vector<TileSpan>& spans, std::size_t at) {
  if (spans[at].msn || spans[at].gap) return spans[at].msn;
  const auto same = [&](std::size_t i) {
    return !spans[i].gap && spans[i].discontinuity_sequence == spans[at].discontinuity_sequence;
  };
  for (auto i = at; i-- > 0 && same(i);)
    if (spans[i].msn) return spans[i].msn;
  for (auto i = at + 1; i < spans.size() && same(i); ++i)
    if (spans[i].msn) return spans[i].msn;
  return {};
}

bool is_listed(const TileSpan& span, const ImagePlaylist& options) {
  if (span.open && !options.ended) return false;
  return options.keeps_front || options.ended || !span.cut;
}

std::uint64_t number_of(const TileSpan& span) { return span.tile + span.discontinuity_sequence; }

void append_head(std::string& out, const TileSpan& first, const ImagePlaylist& options) {
  out.append("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:");
  append_number(out, static_cast<std::uint64_t>((options.interval_us + 999'999) / 1'000'000));
  out.append("\n#EXT-X-MEDIA-SEQUENCE:");
  append_number(out, number_of(first));
  out.append("\n#EXT-X-DISCONTINUITY-SEQUENCE:");
  append_number(out, first.discontinuity_sequence);
  out.append(options.ended ? "\n#EXT-X-PLAYLIST-TYPE:VOD" : "");
  out.append("\n#EXT-X-IMAGES-ONLY\n");
}

void append_entry(std::string& out, const TileSpan& span, std::optional<std::uint64_t> picture,
                  const ImagePlaylist& options) {
  out.append("#EXT-X-PROGRAM-DATE-TIME:");
  append_date_time(out, span.start_us);
  out.append(picture ? "\n" : "\n#EXT-X-GAP\n").append("#EXTINF:");
  append_duration(out, span.end_us - span.start_us);
  out.append(",\n#EXT-X-TILES:RESOLUTION=");
  append_number(out, options.width);
  out.append(1, 'x');
  append_number(out, options.height);
  out.append(",LAYOUT=1x1,DURATION=");
  append_duration(out, span.end_us - span.start_us);
  out.append(1, '\n').append(options.prefix);
  out.append(tile_name(options.generation, options.width, picture.value_or(0))).append(1, '\n');
}

}  // namespace

std::vector<TileSpan> tile_spans(const Rendition& lead, std::int64_t interval_us) {
  std::vector<TileSpan> out;
  for (const auto& stretch : lead.stretches()) Divider(stretch, interval_us, out).add(lead);
  if (out.empty()) return out;
  out.front().cut = out.front().start_us > start_of(out.front().tile, interval_us);
  auto& last = out.back();
  last.open = !lead.ended() && last.end_us < start_of(last.tile + 1, interval_us);
  return out;
}

bool has_tiles(const Rendition& lead, std::int64_t interval_us) {
  const auto last_msn = lead.last_msn();
  const auto first = last_msn ? lead.time_of(lead.first_msn()) : std::nullopt;
  const auto last = last_msn ? lead.time_of(*last_msn) : std::nullopt;
  if (!first || !last) return false;
  if (lead.ended()) return true;
  // One whole tile, whatever the front cuts.
  return tile_of(last->end_us(), interval_us) >= tile_of(first->pdt_us, interval_us) + 2;
}

std::string image_playlist(const std::vector<TileSpan>& spans, const ImagePlaylist& options) {
  std::string out;
  const TileSpan* previous = nullptr;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const auto& span = spans[i];
    if (!is_listed(span, options)) continue;
    if (!previous) append_head(out, span, options);
    if (previous && previous->discontinuity_sequence != span.discontinuity_sequence)
      out.append("#EXT-X-DISCONTINUITY\n");
    append_entry(out, span, picture_for(spans, i), options);
    previous = &span;
  }
  if (options.ended && previous) out.append("#EXT-X-ENDLIST\n");
  return out;
}

std::string tile_name(std::string_view generation, std::uint32_t width, std::uint64_t msn) {
  std::string out("tile-");
  out.append(generation).append(1, '-');
  append_number(out, width);
  out.append(1, '-');
  append_number(out, msn);
  return out.append(".jpg");
}

}  // namespace lookback::packager::hls
