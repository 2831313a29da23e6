#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <limits>
#include <optional>
#include <string>

#include "server/http/routes.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
namespace hls = packager::hls;

constexpr std::uint32_t hint_target_durations = 3;   // rfc8216bis 6.2.6
constexpr std::uint64_t min_file_bytes = 32u << 10;  // below, copying is cheaper than a second system call
constexpr std::uint64_t max_warm_bytes = 1u << 20;   // asked about at once
constexpr std::string_view not_stored = "this media is not stored, or not any more";

/// Media names never mean other bytes, so the name is the tag.
void answer_media(Exchange& exchange, const hls::Name& name, Body body) {
  auto& response = exchange.response;
  response.content_type = name.track.starts_with('a') ? "audio/mp4" : "video/mp4";
  response.etag.append("\"").append(exchange.target.leaf()).append("\"");
  response.caching = Caching::forever();
  response.ranges = true;
  response.body = std::move(body);
}

void answer_stored(Exchange& exchange, const hls::Name& name, std::uint64_t extent, std::uint64_t offset,
                   std::uint64_t size) {
  if (extent == 0 || size == 0) return exchange.answer(404, not_stored);
  auto file = exchange.site.store.extent(extent);
  if (!file) return exchange.answer(404, not_stored);
  answer_media(exchange, name, FileBody{std::move(*file), offset, size, 0});
}

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

/// Answers with the whole segment, or one part of it, from its record.
void answer_from_record(Exchange& exchange, const hls::Name& name, const store::SegmentRecord& record) {
  if (record.gap || !record.complete) return exchange.answer(404, not_stored);
  if (name.kind == hls::Name::Kind::segment) {
    return answer_stored(exchange, name, record.extent, record.offset, record.size_bytes);
  }
  if (name.part >= record.parts.size()) return exchange.answer(404, not_stored);
  auto offset = record.offset;
  for (std::uint32_t i = 0; i < name.part; ++i) offset += record.parts[i].size_bytes;
  answer_stored(exchange, name, record.extent, offset, record.parts[name.part].size_bytes);
}

bool answer_segment(Exchange& exchange, const hls::Rendition& rendition, const hls::Name& name) {
  auto segment = rendition.segment(name.number);
  if (!segment) return false;
  const auto& record = segment->record;
  if (record.complete && !record.gap && !segment->bytes.empty()) {
    answer_recent(exchange, name, std::move(segment->bytes), record.extent, record.offset);
  } else {
    answer_from_record(exchange, name, record);
  }
  return true;
}

bool answer_part(Exchange& exchange, const hls::Rendition& rendition, const hls::Name& name) {
  auto part = rendition.part({name.number, name.part});
  if (!part) return false;
  if (!part->bytes.empty()) {
    answer_recent(exchange, name, std::move(part->bytes), part->extent, part->offset);
  } else {
    answer_stored(exchange, name, part->extent, part->offset, part->record.size_bytes);
  }
  return true;
}

void answer_init(Exchange& exchange, const hls::Presentation& presentation, const hls::Name& name) {
  const bool fits = name.number <= std::numeric_limits<std::uint32_t>::max();
  auto init = fits ? presentation.init(name.track, static_cast<std::uint32_t>(name.number)) : std::nullopt;
  if (!init) return exchange.answer(404, not_stored);
  answer_media(exchange, name, Chain{std::move(*init)});
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
      answer_init(exchange, presentation, name);
      return Next::send;
    case hls::Name::Kind::part:
      if (answer_part(exchange, *rendition, name)) return Next::send;
      if (const auto next = hinted_part(exchange, *rendition)) return *next;
      break;
    default:
      if (answer_segment(exchange, *rendition, name)) return Next::send;
  }
  // Left the window, or a part that left the live edge.
  const auto newest = rendition->last_msn();
  if (newest && name.number <= *newest && exchange.site.find_segment) return Next::look_up;
  exchange.answer(404, not_stored);
  return Next::send;
}

asio::awaitable<void> look_up_media(Exchange& exchange) {
  const auto& target = exchange.target;
  auto find = [&site = exchange.site, stream = std::string(target.prefix(target.components() - 1)),
               track = std::string(exchange.name->track),
               msn = exchange.name->number]() -> asio::awaitable<Result<store::SegmentRecord>> {
    co_return site.find_segment(stream, track, msn);
  };
  const auto record =
      co_await asio::co_spawn(exchange.site.blocking.get_executor(), std::move(find), asio::use_awaitable);
  if (record) {
    answer_from_record(exchange, *exchange.name, *record);
  } else {
    exchange.answer(404, not_stored);
  }
}

}  // namespace lookback::server::http
