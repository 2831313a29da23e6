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

constexpr std::uint32_t hint_target_durations = 3;  // rfc8216bis 6.2.6
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
  answer_media(exchange, name, FileBody{std::move(*file), offset, size});
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
    answer_media(exchange, name, std::move(segment->bytes));
  } else {
    answer_from_record(exchange, name, record);
  }
  return true;
}

bool answer_part(Exchange& exchange, const hls::Rendition& rendition, const hls::Name& name) {
  auto part = rendition.part({name.number, name.part});
  if (!part) return false;
  if (!part->bytes.empty()) {
    answer_media(exchange, name, std::move(part->bytes));
  } else {
    answer_stored(exchange, name, part->extent, part->offset, part->record.size_bytes);
  }
  return true;
}

/// Asks the index for media that has left the window but not the disk.
asio::awaitable<void> stored_media(Exchange& exchange, hls::Name name) {
  const auto& target = exchange.target;
  auto find = [&site = exchange.site, stream = std::string(target.prefix(target.components() - 1)),
               track = std::string(name.track),
               msn = name.number]() -> asio::awaitable<Result<store::SegmentRecord>> {
    co_return site.find_segment(stream, track, msn);
  };
  const auto record =
      co_await asio::co_spawn(exchange.site.blocking.get_executor(), std::move(find), asio::use_awaitable);
  if (!record) {
    exchange.answer(404, not_stored);
    co_return;
  }
  answer_from_record(exchange, name, *record);
}

/// Holds the request for the part that EXT-X-PRELOAD-HINT names until the part is there (rfc8216bis 6.2.6).
asio::awaitable<void> hinted_part(Exchange& exchange, std::shared_ptr<Channel> channel, hls::Name name,
                                  std::uint32_t target_duration_s) {
  const hls::PartId wanted{name.number, name.part};
  const auto deadline = Clock::now() + std::chrono::seconds(hint_target_durations * target_duration_s);
  for (;;) {
    const auto wake = co_await exchange.wait(channel, deadline);
    if (wake != Wake::changed) {
      exchange.answer(wake, 404, "the hinted part did not come");
      co_return;
    }
    const auto presentation = channel->removed() ? nullptr : channel->presentation();
    const auto rendition = presentation ? presentation->rendition(name.track) : nullptr;
    if (rendition && answer_part(exchange, *rendition, name)) co_return;
    if (!rendition || rendition->ended() || rendition->hinted() != wanted) {
      exchange.answer(404, "the hinted part will not come");
      co_return;
    }
  }
}

void answer_init(Exchange& exchange, const hls::Presentation& presentation, const hls::Name& name) {
  const bool fits = name.number <= std::numeric_limits<std::uint32_t>::max();
  auto init = fits ? presentation.init(name.track, static_cast<std::uint32_t>(name.number)) : std::nullopt;
  if (!init) return exchange.answer(404, not_stored);
  answer_media(exchange, name, Chain{std::move(*init)});
}

}  // namespace

asio::awaitable<void> media_route(Exchange& exchange, std::shared_ptr<Channel> channel, hls::Name name) {
  if (!channel->presentation() && !co_await wait_for_presentation(exchange, channel)) co_return;
  const auto presentation = channel->presentation();
  const auto rendition = presentation->rendition(name.track);
  if (!rendition || name.generation != presentation->generation()) {
    exchange.answer(404, not_stored);
    co_return;
  }
  if (name.kind == hls::Name::Kind::init) {
    answer_init(exchange, *presentation, name);
    co_return;
  }
  const bool is_part = name.kind == hls::Name::Kind::part;
  if (is_part ? answer_part(exchange, *rendition, name) : answer_segment(exchange, *rendition, name))
    co_return;

  const bool hinted =
      is_part && !rendition->ended() && rendition->hinted() == hls::PartId{name.number, name.part};
  if (hinted) {
    co_await hinted_part(exchange, std::move(channel), name, rendition->timing().target_duration_s);
  } else if (const auto newest = rendition->last_msn();
             newest && name.number <= *newest && exchange.site.find_segment) {
    co_await stored_media(exchange, name);  // left the window, or a part that left the live edge
  } else {
    exchange.answer(404, not_stored);
  }
}

}  // namespace lookback::server::http
