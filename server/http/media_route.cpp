#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "server/http/routes.hpp"

namespace lookback::server::http {
namespace {

namespace hls = packager::hls;

constexpr std::uint32_t hint_target_durations = 3;   // rfc8216bis 6.2.6
constexpr std::uint64_t min_file_bytes = 32u << 10;  // below, copying is cheaper than a second system call
constexpr std::uint64_t max_warm_bytes = 1u << 20;   // asked about at once
constexpr std::string_view not_stored = "this media is not stored, or not any more";

/// Media that is both in memory and stored: sendfile copies nothing, and needs no memory for what waits in
/// sockets, as long as the page cache has it.
void answer_recent(Exchange& exchange, const hls::Name& name, Chain bytes, std::uint64_t extent,
                   std::uint64_t offset) {
  const auto size = size_of(bytes);
  if (extent != 0 && size >= min_file_bytes) {
    const auto warm = std::min(size, max_warm_bytes);
    auto file = exchange.site.store.extent(extent);
    if (file && (*file)->is_cached(offset, warm)) {
      return answer_media(exchange, name, FileBody{std::move(*file), offset, size, warm});
    }
  }
  answer_media(exchange, name, std::move(bytes));
}

/// From memory. False: not there; the exchange knows its record if it is listed.
bool answer_segment(Exchange& exchange, const hls::Rendition& rendition, const hls::Name& name) {
  auto segment = rendition.segment(name.number);
  if (!segment) return false;
  const auto& record = segment->record;
  if (record.complete && !record.gap && !segment->bytes.empty()) {
    answer_recent(exchange, name, std::move(segment->bytes), record.extent, record.offset);
    return true;
  }
  exchange.known = std::move(segment->record);
  return false;
}

bool answer_part(Exchange& exchange, const hls::Rendition& rendition, const hls::Name& name) {
  auto part = rendition.part({name.number, name.part});
  if (!part || part->bytes.empty()) return false;
  answer_recent(exchange, name, std::move(part->bytes), part->extent, part->offset);
  return true;
}

bool answer_init(Exchange& exchange, const hls::Presentation& presentation, const hls::Name& name) {
  const bool fits = name.number <= std::numeric_limits<std::uint32_t>::max();
  auto init = fits ? presentation.init(name.track, static_cast<std::uint32_t>(name.number)) : std::nullopt;
  if (init) answer_media(exchange, name, Chain{std::move(*init)});
  return init.has_value();
}

/// A part that is not published: held back until it is, if EXT-X-PRELOAD-HINT names it (rfc8216bis 6.2.6).
std::optional<Next> hinted_part(Exchange& exchange, const hls::Rendition& rendition) {
  const hls::PartId wanted{exchange.name->number, exchange.name->part};
  if (!rendition.ended() && rendition.hinted() == wanted) {
    const auto limit = hint_target_durations * rendition.timing().target_duration_s;
    return exchange.wait_for(Awaited::hinted_part, std::chrono::seconds(limit));
  }
  if (exchange.awaited != Awaited::hinted_part) return std::nullopt;
  exchange.answer(404, "the hinted part will not come");
  return Next::send;
}

}  // namespace

Next media_route(Exchange& exchange) {
  const auto& name = *exchange.name;
  const auto& channel = *exchange.channel;
  const auto& presentation = *channel.presentation();
  const auto rendition = channel.removed() ? nullptr : presentation.rendition(name.track);
  if (!rendition || name.generation != presentation.generation()) {
    exchange.answer(404, not_stored);
    return Next::send;
  }
  switch (name.kind) {
    case hls::Name::Kind::init:
      if (answer_init(exchange, presentation, name)) return Next::send;
      break;
    case hls::Name::Kind::part:
      if (answer_part(exchange, *rendition, name)) return Next::send;
      if (const auto next = hinted_part(exchange, *rendition)) return *next;
      break;
    default:
      if (answer_segment(exchange, *rendition, name)) return Next::send;
  }
  return exchange.run(&stored_media);  // it has left memory, the window or the live edge
}

}  // namespace lookback::server::http
