#include "server/http/mp4_route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "server/archive/mp4_cache.hpp"
#include "server/archive/mp4_times.hpp"
#include "server/http/routes.hpp"
#include "store/extent_record.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
using packager::MovieRange;

constexpr std::uint32_t movie_cache_s = 60;  // its bytes may expire, or be found damaged
constexpr std::int64_t millisecond = 1'000;

constexpr std::string_view wrong_time =
    " must stand once and be RFC 3339, Unix seconds or milliseconds, now or now-90s; correct it";

/// The parameters of a request. `wrong` names what is the matter.
struct Query {
  std::optional<Mp4Time> start, end;
  std::optional<std::int64_t> duration_us;
  std::string foreign;  ///< the rest
  std::string wrong;
};

void take(Query& query, std::string_view name, std::string_view value, std::int64_t now_us) {
  if (name == "duration") {
    const bool repeated = query.duration_us.has_value();
    query.duration_us = parse_mp4_duration(value);
    if (repeated || !query.duration_us)
      query.wrong = "duration must stand once and be above 0, like 90, 90s, 30m or 1.5h; correct it";
    return;
  }
  auto& time = name == "start" ? query.start : query.end;
  const bool repeated = time.has_value();
  time = parse_mp4_time(value, now_us);
  if (repeated || !time) query.wrong = std::string(name).append(wrong_time);
}

Query parse_query(std::string_view text, std::int64_t now_us) {
  Query query;
  while (!text.empty()) {
    const auto parameter = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), parameter.size() + 1));
    const auto name = parameter.substr(0, parameter.find('='));
    const auto value = parameter.substr(std::min(parameter.size(), name.size() + 1));
    if (name == "start" || name == "end" || name == "duration") {
      take(query, name, value, now_us);
    } else if (!parameter.empty()) {
      query.foreign.append(query.foreign.empty() ? "" : "&").append(parameter);
    }
  }
  if (query.wrong.empty() && query.end && query.duration_us)
    query.wrong = "end and duration exclude each other; leave one of them away";
  return query;
}

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t floor_ms(std::int64_t us) { return us / millisecond * millisecond; }

std::string url_of(const Mp4Source& source, MovieRange range, const std::string& foreign) {
  return fmt::format("{}?start={}&end={}{}{}", source.path, format_mp4_time(range.start_us),
                     format_mp4_time(range.end_us), foreign.empty() ? "" : "&", foreign);
}

/// What is asked for, in absolute times, and whether the URL says it just so. Empty: there is an answer
/// already.
struct Wanted {
  MovieRange range;
  bool canonical = false;
};

std::optional<Wanted> resolve(Exchange& exchange, const Mp4Source& source, const Query& query) {
  const auto refuse = [&](unsigned status, std::string_view detail) {
    exchange.answer(status, detail);
    return std::optional<Wanted>();
  };
  if (!query.wrong.empty()) return refuse(400, query.wrong);
  Wanted wanted;
  wanted.range.start_us = query.start ? query.start->us : floor_ms(source.first_us);
  const auto newest = floor_ms(source.end_us);
  auto end = query.end ? query.end->us : newest;
  if (query.duration_us) end = wanted.range.start_us + *query.duration_us;
  wanted.range.end_us = std::min(end, newest);
  const bool relative = (query.start && query.start->relative) || (query.end && query.end->relative);
  wanted.canonical = query.start && (query.end || query.duration_us) && !relative && end <= newest;

  if (end <= wanted.range.start_us && (query.end || query.duration_us))
    return refuse(400, "end must be later than start; exchange them");
  if (wanted.range.start_us >= newest || wanted.range.end_us <= source.first_us)
    return refuse(404, "no media is stored in this range");
  const auto length = wanted.range.end_us - std::max(wanted.range.start_us, source.first_us);
  const auto longest = std::chrono::microseconds(exchange.options.mp4_max_duration).count();
  if (length > longest) {
    return refuse(400, fmt::format("the range is longer than http.mp4_max_duration ({}); ask for less of it",
                                   file_duration(longest)));
  }
  return wanted;
}

void redirect(Exchange& exchange, std::string location) {
  auto& response = exchange.response;
  response.status = 302;
  response.caching = Caching::for_seconds(1);
  response.location = std::move(location);
}

/// RFC 9457, with the ranges that can be had.
void answer_sections(Exchange& exchange, const Mp4Source& source, const Mp4Sections& sections,
                     const std::string& foreign) {
  constexpr std::size_t most = 100;
  std::string text =
      R"({"type":"about:blank","title":"Conflict","status":409,"detail":"the media parameters change inside of this range, )"
      R"(which one MP4 cannot hold; ask for one of the ranges","ranges":[)";
  for (std::size_t i = 0; i < std::min(most, sections.size()); ++i) {
    text += fmt::format(R"({}{{"start":"{}","end":"{}","url":"{}"}})", i == 0 ? "" : ",",
                        format_mp4_time(sections[i].start_us), format_mp4_time(sections[i].end_us),
                        url_of(source, sections[i], foreign));
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
  response.file_name =
      fmt::format("{}-{}-{}.mp4", source.file_stem, file_time(start), file_duration(range.end_us - start));
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
  const auto query = parse_query(exchange.target.query(), now_us());
  const auto wanted = resolve(exchange, source, query);
  if (!wanted) co_return;
  if (!wanted->canonical) {
    redirect(exchange, url_of(source, wanted->range, query.foreign));
    co_return;
  }
  if (exchange.counters.waiting.value() >= exchange.options.max_waiting) {
    exchange.answer(503, "http.max_waiting requests wait already; ask again");
    co_return;
  }
  Mp4Request request{source.stream, wanted->range, source.first_msn, source.end_msn};
  auto key = fmt::format("{}/{}/{}", source.key, request.range.start_us, request.range.end_us);
  const auto outcome = co_await find_movie(exchange, key, request);
  if (!outcome) {
    answer_failure(exchange, outcome.error());
  } else if (!outcome->movie) {
    answer_sections(exchange, source, outcome->sections, query.foreign);
  } else {
    answer_movie(exchange, source, wanted->range,
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
