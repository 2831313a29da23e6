#include "packager/hls/media_rendition.hpp"

#include <algorithm>

#include "packager/hls/listing_facts.hpp"
#include "packager/hls/media_text.hpp"
#include "packager/hls/segment_text.hpp"
#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

/// Segments and parts never change under their numbers, so the numbers at both ends name the text, together
/// with all else that the view adds to it.
std::string name_of(const Listing& listing) {
  std::string key;
  const auto add = [&key](std::uint64_t number) {
    append_number(key, number);
    key.append(1, '.');
  };
  add(listing.first_msn);
  add(listing.end_msn);
  add(listing.ended ? 1 : 0);
  if (listing.lists_parts() && listing.open) {
    const auto hinted = listing.state->hinted();
    add(hinted.msn);
    add(hinted.part);
    for (const auto& report : listing.state->reports) {
      key.append(report.track).append(1, '.');
      add(report.last.msn);
      add(report.last.part);
    }
  }
  append_date_range_names(key, listing);
  const auto& view = listing.view;
  add(static_cast<std::uint64_t>(view.type));
  add(listing.takes_directives() ? 1 : 0);
  add(listing.style().index());
  if (view.start_offset_us) add(static_cast<std::uint64_t>(*view.start_offset_us));
  return fingerprint(key.append(view.query));
}

/// How many parts a request may be ahead of the last one (rfc8216bis 6.2.5.2): three seconds' worth,
/// or three.
std::uint64_t advance_part_limit(const Timing& timing) {
  constexpr std::uint64_t second_us = 1'000'000;
  if (timing.part_target_us == 0 || timing.part_target_us >= second_us) return 3;
  return (3 * second_us + timing.part_target_us - 1) / timing.part_target_us;
}

std::string join(const Chain& chain) {
  std::string text;
  text.reserve(size_of(chain));
  for (const auto& slice : chain) text.append(slice.text());
  return text;
}

}  // namespace

MediaRendition::MediaRendition(Listing listing) : listing_(std::move(listing)), name_(name_of(listing_)) {}

std::optional<std::uint64_t> MediaRendition::last_msn() const {
  if (listing_.empty()) return {};
  return listing_.end_msn - 1;
}

std::optional<PartId> MediaRendition::last_part() const {
  const auto& state = *listing_.state;
  if (listing_.open) return state.last_part();
  if (listing_.empty()) return {};
  const auto* newest = state.find_recent(listing_.end_msn - 1);
  const auto count = newest ? newest->parts.size() : 0;
  return PartId{listing_.end_msn - 1, count == 0 ? 0 : static_cast<std::uint32_t>(count - 1)};
}

bool MediaRendition::reached(std::uint64_t msn, std::optional<std::uint32_t> part) const {
  const auto& state = *listing_.state;
  if (listing_.ended) return true;  // directives mean nothing any more (rfc8216bis 6.2.5.2)
  if (!listing_.open && msn >= listing_.end_msn) return false;
  if (!part) return msn < state.next_msn;
  if (msn >= state.next_msn) return PartId{msn, *part} < state.hinted();
  if (msn + 1 < state.next_msn) return true;
  const auto* newest = state.find_recent(msn);
  const auto count = newest ? newest->parts.size() : 0;
  return *part < count || (state.open && !state.open->parts.empty());
}

bool MediaRendition::too_far(std::uint64_t msn, std::optional<std::uint32_t> part) const {
  const auto& state = *listing_.state;
  if (listing_.ended || msn < state.next_msn) return false;
  const auto ahead = msn - state.next_msn;  // 0: the open segment
  if (ahead > 1) return true;
  if (!part) return false;
  // Parts that the open segment will still get are unknown: of the next one, only its own parts count.
  const std::uint64_t listed = ahead == 0 ? state.hinted().part : 0;
  return *part >= listed + advance_part_limit(timing());
}

std::optional<SegmentView> MediaRendition::segment(std::uint64_t msn) const {
  const auto& state = *listing_.state;
  if (msn >= state.next_msn) return {};
  if (const auto* recent = state.find_recent(msn)) return recent->view();
  const auto* entry = state.find(msn);
  return entry ? std::optional(SegmentView{to_record(*entry, msn), {}}) : std::nullopt;
}

std::optional<PartView> MediaRendition::part(PartId id) const {
  const auto* segment = listing_.state->find_recent(id.msn);
  return segment ? segment->part(id.part) : std::nullopt;
}

std::optional<SegmentTime> MediaRendition::time_of(std::uint64_t msn) const {
  if (msn < listing_.first_msn || msn >= listing_.end_msn) return {};
  return time_of_segment(listing_.track(), *listing_.state->find(msn));
}

const std::vector<Stretch>& MediaRendition::stretches() const {
  return stretches_.get([this] { return find_stretches(listing_); });
}

Measure MediaRendition::measure() const { return hls::measure(listing_); }

std::shared_ptr<const Rendition> MediaRendition::view(const View& view) const {
  auto narrowed = narrow(listing_, view);
  if (narrowed.empty()) return nullptr;
  return std::make_shared<const MediaRendition>(std::move(narrowed));
}

std::shared_ptr<const Rendition> MediaRendition::after(const Rendition& past) const {
  const auto& older = dynamic_cast<const MediaRendition&>(past);  // the only kind there is
  auto state = *listing_.state;
  const auto& listed = older.listing_;
  const auto from = state.blocks->empty() ? state.edge_msn() : state.blocks->front()->first_msn();
  if (listed.end_msn < from) return nullptr;
  if (listed.first_msn < from && !older.past_blocks_.put_before(state, listed, from)) return nullptr;
  state.first_msn = std::min(state.first_msn, listed.first_msn);
  state.independent = state.independent && listed.state->independent;
  state.date_ranges = joined(listed.state->date_ranges, state.date_ranges);
  return std::make_shared<const MediaRendition>(whole(std::move(state)));
}

std::shared_ptr<const Rendition> MediaRendition::iframes() const {
  if (!track().starts_with('v')) return nullptr;
  return iframes_.get([this] {
    auto listing = listing_;
    listing.iframes = true;
    return std::make_shared<const MediaRendition>(std::move(listing));
  });
}

std::span<const std::shared_ptr<const Block>> MediaRendition::whole_blocks() const {
  const auto all = std::span(*listing_.state->blocks);
  if (all.empty()) return {};
  // Blocks follow each other without holes: where they begin is arithmetic.
  const auto base = all.front()->first_msn(), blocks_end = all.back()->end_msn();
  const auto from = (std::max(listing_.first_msn, base) - base + Block::size - 1) / Block::size;
  const auto to = (std::clamp(listing_.end_msn, base, blocks_end) - base) / Block::size;
  return from < to ? all.subspan(from, to - from) : std::span<const std::shared_ptr<const Block>>{};
}

std::string MediaRendition::full_head() const {
  std::string text;
  append_head(text, listing_, 0);
  const auto whole = whole_blocks();
  if (!whole.empty()) append_run(text, listing_, listing_.first_msn, whole.front()->first_msn());
  listing_.track().work.text_bytes += text.size();
  return text;
}

std::string MediaRendition::full_tail() const {
  std::string text;
  const auto whole = whole_blocks();
  append_tail(text, listing_, whole.empty() ? listing_.first_msn : whole.back()->end_msn());
  listing_.track().work.text_bytes += text.size();
  return text;
}

std::string MediaRendition::delta_text(std::uint64_t skipped) const {
  std::string text;
  append_head(text, listing_, skipped);
  append_tail(text, listing_, listing_.first_msn + skipped);
  listing_.track().work.text_bytes += text.size();
  return text;
}

Chain MediaRendition::plain(bool delta) const {
  if (delta) return {make_slice(delta_text(skippable(listing_)))};
  Chain chain{make_slice(full_head())};
  for (const auto& block : whole_blocks()) chain.push_back(block->text(listing_.style()));
  chain.push_back(make_slice(full_tail()));
  return chain;
}

Chain MediaRendition::packed(bool delta) const {
  auto& deflated = listing_.track().work.deflated_bytes;
  if (delta) {
    const auto text = delta_text(skippable(listing_));
    deflated += text.size();
    return gzip(text);
  }
  const auto head = full_head();
  const auto tail = full_tail();
  deflated += head.size() + tail.size();
  std::vector<DeflatePiece> pieces;
  pieces.reserve(whole_blocks().size() + 2);
  pieces.push_back(deflate_piece(head, false));
  for (const auto& block : whole_blocks()) pieces.push_back(block->packed(listing_.style()));
  pieces.push_back(deflate_piece(tail, true));
  return gzip_member(pieces);
}

std::string MediaRendition::etag(bool delta, Coding coding, std::string_view query) const {
  std::string tag = "\"";
  tag.append(listing_.track().generation).append(1, '-').append(track()).append(1, '-');
  tag.append(name_).append(delta ? "-delta" : "-full");
  if (coding == Coding::gzip) tag.append("-gzip");
  if (!query.empty()) tag.append(1, '-').append(fingerprint(query));
  return tag.append(1, '"');
}

Rendered MediaRendition::playlist(bool delta, Coding coding, std::string_view query) const {
  // After ENDLIST directives are ignored (rfc8216bis 6.2.5.1).
  const auto skip = delta && takes_directives() && skippable(listing_) > 0;
  Rendered out{{}, etag(skip, coding, query)};
  const auto zipped = coding == Coding::gzip;
  if (query.empty() && zipped) {
    out.body = texts_[skip * 2 + 1].get([&] { return packed(skip); });
    return out;
  }
  out.body = texts_[skip * 2].get([&] { return plain(skip); });
  if (query.empty()) return out;
  auto text = with_query(join(out.body), query);
  out.body = zipped ? gzip(text) : Chain{make_slice(std::move(text))};
  return out;
}

}  // namespace lookback::packager::hls
