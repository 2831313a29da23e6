#include "packager/hls/media_rendition.hpp"

#include <algorithm>

#include "packager/hls/media_text.hpp"
#include "packager/hls/segment_text.hpp"
#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

/// Segments and parts never change under their numbers, so the numbers at both ends name the text.
std::string name_of(const MediaState& state) {
  std::string key;
  const auto add = [&key](std::uint64_t number) {
    append_number(key, number);
    key.append(1, '.');
  };
  add(state.first_msn);
  add(state.next_msn);
  add(state.hinted().msn);
  add(state.hinted().part);
  add(state.ended ? 1 : 0);
  for (const auto& report : state.reports) {
    key.append(report.track).append(1, '.');
    add(report.last.msn);
    add(report.last.part);
  }
  return fingerprint(key);
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

MediaRendition::MediaRendition(MediaState state) : state_(std::move(state)), state_name_(name_of(state_)) {}

std::optional<std::uint64_t> MediaRendition::last_msn() const {
  if (state_.empty()) return {};
  return state_.next_msn - 1;
}

bool MediaRendition::reached(std::uint64_t msn, std::optional<std::uint32_t> part) const {
  if (state_.ended) return true;  // directives mean nothing any more (rfc8216bis 6.2.5.2)
  if (!part) return msn < state_.next_msn;
  if (msn >= state_.next_msn) return PartId{msn, *part} < state_.hinted();
  if (msn + 1 < state_.next_msn) return true;
  const auto* newest = state_.find_recent(msn);
  const auto count = newest ? newest->parts.size() : 0;
  return *part < count || (state_.open && !state_.open->parts.empty());
}

bool MediaRendition::too_far(std::uint64_t msn, std::optional<std::uint32_t> part) const {
  if (state_.ended || msn < state_.next_msn) return false;
  const auto ahead = msn - state_.next_msn;  // 0: the open segment
  if (ahead > 1) return true;
  if (!part) return false;
  // Parts that the open segment will still get are unknown: of the next one, only its own parts count.
  const std::uint64_t listed = ahead == 0 ? state_.hinted().part : 0;
  return *part >= listed + advance_part_limit(state_.track->timing);
}

std::optional<SegmentView> MediaRendition::segment(std::uint64_t msn) const {
  if (msn >= state_.next_msn) return {};
  if (const auto* recent = state_.find_recent(msn)) return recent->view();
  const auto* entry = state_.find(msn);
  return entry ? std::optional(SegmentView{to_record(*entry, msn), {}}) : std::nullopt;
}

std::optional<PartView> MediaRendition::part(PartId id) const {
  const auto* segment = state_.find_recent(id.msn);
  return segment ? segment->part(id.part) : std::nullopt;
}

std::span<const std::shared_ptr<const Block>> MediaRendition::whole_blocks() const {
  const auto all = std::span(*state_.blocks);
  const auto cut = !all.empty() && all.front()->first_msn() < state_.first_msn;
  return all.subspan(cut ? 1 : 0);
}

std::string MediaRendition::full_head() const {
  std::string text;
  append_head(text, state_, 0);
  const auto whole = whole_blocks();
  if (whole.size() < state_.blocks->size()) {
    const auto& block = *state_.blocks->front();
    const auto entries = std::span(block.entries()).subspan(state_.first_msn - block.first_msn());
    append_segments(text, *state_.track, entries, state_.first_msn);
  }
  state_.track->work.text_bytes += text.size();
  return text;
}

std::string MediaRendition::full_tail() const {
  std::string text;
  append_tail(text, state_, std::max(state_.first_msn, state_.edge_msn()));
  state_.track->work.text_bytes += text.size();
  return text;
}

std::string MediaRendition::delta_text(std::uint64_t skipped) const {
  std::string text;
  append_head(text, state_, skipped);
  append_tail(text, state_, state_.first_msn + skipped);
  state_.track->work.text_bytes += text.size();
  return text;
}

Chain MediaRendition::plain(bool delta) const {
  if (delta) return {make_slice(delta_text(skippable(state_)))};
  Chain chain{make_slice(full_head())};
  for (const auto& block : whole_blocks()) chain.push_back(block->text());
  chain.push_back(make_slice(full_tail()));
  return chain;
}

Chain MediaRendition::packed(bool delta) const {
  auto& deflated = state_.track->work.deflated_bytes;
  if (delta) {
    const auto text = delta_text(skippable(state_));
    deflated += text.size();
    return gzip(text);
  }
  const auto head = full_head();
  const auto tail = full_tail();
  deflated += head.size() + tail.size();
  std::vector<DeflatePiece> pieces;
  pieces.reserve(whole_blocks().size() + 2);
  pieces.push_back(deflate_piece(head, false));
  for (const auto& block : whole_blocks()) pieces.push_back(block->packed());
  pieces.push_back(deflate_piece(tail, true));
  return gzip_member(pieces);
}

std::string MediaRendition::etag(bool delta, Coding coding, std::string_view query) const {
  std::string tag = "\"";
  tag.append(state_.track->generation).append(1, '-').append(state_.track->track).append(1, '-');
  tag.append(state_name_).append(delta ? "-delta" : "-full");
  if (coding == Coding::gzip) tag.append("-gzip");
  if (!query.empty()) tag.append(1, '-').append(fingerprint(query));
  return tag.append(1, '"');
}

Rendered MediaRendition::playlist(bool delta, Coding coding, std::string_view query) const {
  // After ENDLIST directives are ignored (rfc8216bis 6.2.5.1).
  const auto skip = delta && !state_.ended && skippable(state_) > 0;
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
