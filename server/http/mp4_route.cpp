#include "server/http/mp4_route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "server/archive/file_name.hpp"
#include "server/archive/mp4_cache.hpp"
#include "server/archive/mp4_range.hpp"
#include "server/http/routes.hpp"
#include "server/http/view.hpp"
#include "store/extent_record.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
using packager::MovieRange;

constexpr std::uint32_t movie_cache_s = 60;  // its bytes may expire, or be found damaged
void redirect(Exchange& exchange, std::string location) {
  auto& response = exchange.response;
  response.status = 302;
  response.caching = Caching::for_seconds(1);
  response.location = std::move(location);
}

std::string url_of(const Exchange& exchange, const Mp4Source& source, MovieRange range) {
  const auto foreign = exchange.target.foreign();
  return fmt::format("{}?start={}&end={}{}{}", source.path, archive::floor_time_text(range.start_us),
                     archive::floor_time_text(range.end_us), foreign.empty() ? "" : "&", foreign);
}

/// What is asked for. Empty: there is an answer already, a problem or a redirect to the absolute times.
std::optional<MovieRange> resolve(Exchange& exchange, const Mp4Source& source) {
  const auto refuse = [&](const archive::Problem& problem) {
    answer_problem(exchange, problem);
    return std::optional<MovieRange>();
  };
  const auto request = archive::parse_view(exchange.target.own());
  if (!request) return refuse(request.error());
  const auto wanted = archive::mp4_range(*request, {source.first_us, source.end_us}, now_us(exchange));
  if (!wanted) return refuse(wanted.error());
  const auto length = wanted->range.end_us - std::max(wanted->range.start_us, source.first_us);
  const auto longest = std::chrono::microseconds(exchange.options.mp4_max_duration).count();
  if (length > longest) {
    return refuse({400, fmt::format("the range is longer than http.mp4_max_duration ({}); ask for less of it",
                                    archive::file_duration(longest))});
  }
  if (wanted->canonical) return wanted->range;
  redirect(exchange, url_of(exchange, source, wanted->range));
  return {};
}

/// RFC 9457, with the ranges that can be had.
void answer_sections(Exchange& exchange, const Mp4Source& source, const Mp4Sections& sections) {
  constexpr std::size_t most = 100;
  std::string text =
      R"({"type":"about:blank","title":"Conflict","status":409,"detail":"the media parameters change inside of this range, )"
      R"(which one MP4 cannot hold; ask for one of the ranges","ranges":[)";
  for (std::size_t i = 0; i < std::min(most, sections.size()); ++i) {
    text += fmt::format(R"({}{{"start":"{}","end":"{}","url":"{}"}})", i == 0 ? "" : ",",
                        archive::floor_time_text(sections[i].start_us),
                        archive::floor_time_text(sections[i].end_us), url_of(exchange, source, sections[i]));
  }
  text += "]}\n";
  auto& response = exchange.response;
  response.status = 409;
  response.content_type = "application/problem+json";
  response.body = Chain{make_slice(std::move(text))};
}

PiecedBody body_of(const std::shared_ptr<const Mp4Movie>& movie, store::Store& store,
                   const std::shared_ptr<Mp4Cache>& cache, const std::string& key) {
  auto pieces = std::make_shared<PiecedFile>();
  pieces->head = movie->head;
  pieces->ends.reserve(movie->pieces.size());
  std::uint64_t end = movie->head.size();
  for (const auto& piece : movie->pieces) pieces->ends.push_back(end += piece.size_bytes);
  pieces->open = [movie, &store, cache, key](std::size_t index) -> Result<FileBody> {
    const auto& piece = movie->pieces[index];
    auto file = open_piece(store, *movie, index);
    if (!file) {
      cache->forget(key);
      return file.error();
    }
    return FileBody{std::move(*file), piece.offset, piece.size_bytes};
  };
  const auto size = pieces->size();
  return {std::move(pieces), 0, size};
}

void answer_movie(Exchange& exchange, const Mp4Source& source, MovieRange range, PiecedBody body,
                  const std::string& etag) {
  auto& response = exchange.response;
  response.content_type = "video/mp4";
  response.etag = etag;
  response.caching = Caching::for_seconds(movie_cache_s);
  response.ranges = true;
  const auto start = std::max(range.start_us, source.first_us);
  response.file_name = fmt::format("{}-{}-{}.mp4", source.file_stem, archive::file_time(start),
                                   archive::file_duration(range.end_us - start));
  response.body = std::move(body);
}

void answer_failure(Exchange& exchange, const boost::system::error_code& error) {
  if (error == store::Errc::not_found) return exchange.answer(404, "no media is stored in this range");
  if (error == store::Errc::queue_full)
    return exchange.answer(503, "many other MP4s are being made; ask again");
  exchange.answer(500, "the stored media of this range could not be read");
}

/// From the cache, or built now. A kept one whose first bytes have gone is built anew.
asio::awaitable<Mp4Cache::Outcome> find_movie(Exchange& exchange, std::string key, Mp4Request request) {
  const auto cache = exchange.site.mp4;
  auto& store = exchange.site.store;
  Mp4Cache::Build build = [&store, request = std::move(request)] { return build_mp4(store, request); };
  exchange.counters.waiting.add();
  for (bool again = false;; again = true) {
    auto outcome = co_await cache->get(key, build);
    const bool gone = outcome && outcome->movie && !store.extent(outcome->movie->pieces.front().extent);
    if (gone) cache->forget(key);
    if (gone && !again) continue;
    exchange.counters.waiting.sub();
    co_return outcome;
  }
}

/// A live stream's window. Empty: it has no complete segment yet.
std::optional<Mp4Source> source_of(const Target& target, const packager::hls::Presentation& presentation) {
  auto lead = presentation.rendition("v0");
  if (!lead && !presentation.renditions().empty()) lead = presentation.renditions().front();
  if (!lead || !lead->last_msn()) return std::nullopt;
  const auto first = lead->segment(lead->first_msn()), last = lead->segment(*lead->last_msn());
  if (!first || !last) return std::nullopt;
  Mp4Source source;
  source.stream = target.prefix(target.components() - 1);
  source.key = source.stream + "/" + presentation.generation();
  source.path = target.path();
  source.file_stem = target.component(target.components() - 2);
  source.first_us = first->record.pdt_us;
  source.end_us = store::end_pdt_us(last->record, lead->timescale());
  return source;
}

}  // namespace

asio::awaitable<void> answer_mp4(Exchange& exchange, Mp4Source source) {
  const auto range = resolve(exchange, source);
  if (!range) co_return;
  if (exchange.counters.waiting.value() >= exchange.options.max_waiting) {
    exchange.answer(503, "http.max_waiting requests wait already; ask again");
    co_return;
  }
  Mp4Request request{source.stream, *range, source.first_msn, source.end_msn};
  auto key = fmt::format("{}/{}/{}", source.key, range->start_us, range->end_us);
  const auto outcome = co_await find_movie(exchange, key, request);
  if (!outcome) {
    answer_failure(exchange, outcome.error());
  } else if (!outcome->movie) {
    answer_sections(exchange, source, outcome->sections);
  } else {
    answer_movie(exchange, source, *range,
                 body_of(outcome->movie, exchange.site.store, exchange.site.mp4, key), outcome->movie->etag);
  }
}

asio::awaitable<void> mp4_route(Exchange& exchange) {
  auto source = source_of(exchange.target, *exchange.channel->presentation());
  if (exchange.site.mp4 && source) {
    co_await answer_mp4(exchange, std::move(*source));
  } else {
    exchange.answer(404, "no media is stored in this range");
  }
}

}  // namespace lookback::server::http
