#include <boost/asio/any_io_executor.hpp>
#include <string>

#include "server/archive/media_finder.hpp"
#include "server/base/call_on.hpp"
#include "server/http/routes.hpp"
#include "store/base/errc.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
namespace hls = packager::hls;

constexpr std::string_view not_stored = "this media is not stored, or not any more";

void answer_stored(Exchange& exchange, const hls::Name& name, std::uint64_t extent, std::uint64_t offset,
                   std::uint64_t size) {
  if (extent == 0 || size == 0) return exchange.answer(404, not_stored);
  auto file = exchange.site.store.extent(extent);
  if (!file) return exchange.answer(404, not_stored);
  answer_media(exchange, name, FileBody{std::move(*file), offset, size, 0});
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

MediaName full_name(const Exchange& exchange, const hls::Name& name) {
  const auto& target = exchange.target;
  return {std::string(target.prefix(target.components() - 1)), std::string(name.generation),
          std::string(name.track), name.number};
}

asio::awaitable<void> stored_init(Exchange& exchange, hls::Name name) {
  auto find = [&site = exchange.site, what = full_name(exchange, name)] { return site.find_init(what); };
  const asio::any_io_executor pool = exchange.site.blocking.get_executor();
  auto init = co_await call_on<Result<store::InitRecord>>(pool, std::move(find));
  if (init) {
    answer_media(exchange, name, Chain{make_slice(std::move(init->bytes))});
  } else {
    exchange.answer(404, not_stored);
  }
}

/// Finds the segment when it is not known, and sees to it that its bytes are what was written.
asio::awaitable<void> stored_segment(Exchange& exchange, hls::Name name,
                                     std::optional<store::SegmentRecord> record) {
  auto find = [&site = exchange.site, what = full_name(exchange, name), known = std::move(record)] {
    return site.find_segment(what, known);
  };
  const asio::any_io_executor pool = exchange.site.blocking.get_executor();
  const auto found = co_await call_on<Result<store::SegmentRecord>>(pool, std::move(find));
  if (found) {
    answer_from_record(exchange, name, *found);
  } else {
    exchange.answer(404, not_stored);
  }
}

asio::awaitable<void> answer_known(Exchange& exchange, hls::Name name,
                                   std::optional<store::SegmentRecord> record) {
  if (record) {
    answer_from_record(exchange, name, *record);
  } else {
    exchange.answer(404, not_stored);
  }
  co_return;
}

bool is_gap(const std::optional<store::SegmentRecord>& record) {
  return record && (record->gap || !record->complete);
}

}  // namespace

void answer_media(Exchange& exchange, const hls::Name& name, Body body) {
  auto& response = exchange.response;
  response.content_type = name.track.starts_with('a') ? "audio/mp4" : "video/mp4";
  response.etag.append("\"").append(exchange.target.leaf()).append("\"");
  response.caching = Caching::forever();
  response.ranges = true;
  response.body = std::move(body);
}

asio::awaitable<void> stored_media(Exchange& exchange) {
  const auto& site = exchange.site;
  const auto& name = *exchange.name;
  auto record = std::move(exchange.known);
  if (name.kind == hls::Name::Kind::init && site.find_init) return stored_init(exchange, name);
  const bool known = record && site.store.is_known_good(*record);
  if (name.kind != hls::Name::Kind::init && site.find_segment && !known && !is_gap(record))
    return stored_segment(exchange, name, std::move(record));
  return answer_known(exchange, name, std::move(record));
}

}  // namespace lookback::server::http
