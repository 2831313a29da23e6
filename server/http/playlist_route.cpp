#include "server/http/field_values.hpp"
#include "server/http/routes.hpp"

namespace lookback::server::http {
namespace {

namespace hls = packager::hls;
using RenditionPtr = std::shared_ptr<const hls::Rendition>;

constexpr std::uint32_t blocking_target_durations = 3;  // rfc8216bis 6.2.5.2
constexpr std::uint32_t blocking_cache_durations = 6;   // Apple's low-latency profile

hls::Coding coding(const Exchange& exchange) {
  return accepts_gzip(exchange.request.accept_encoding) ? hls::Coding::gzip : hls::Coding::identity;
}

void answer_with(Exchange& exchange, hls::Rendered rendered, hls::Coding coding, std::uint32_t max_age_s) {
  auto& response = exchange.response;
  response.content_type = "application/vnd.apple.mpegurl";
  response.varies = true;
  response.gzip = coding == hls::Coding::gzip;
  response.etag = std::move(rendered.etag);
  response.body = std::move(rendered.body);
  response.caching = Caching::for_seconds(max_age_s);
}

RenditionPtr find_rendition(const Channel& channel, std::string_view track) {
  if (channel.removed() || !channel.presentation()) return nullptr;
  return channel.presentation()->rendition(track);
}

/// Whether the playlist as it is now is the one that the directives name, so that every cache may give it
/// to everyone who asks for the same.
bool is_exactly(const hls::Rendition& rendition, const Directives& wanted) {
  if (!wanted.msn) return false;
  if (!wanted.part) return rendition.last_msn() == wanted.msn;
  const auto last = rendition.last_part();
  if (!last) return false;
  if (*last == hls::PartId{*wanted.msn, *wanted.part}) return true;
  const bool rolled_over =
      rendition.last_msn() == wanted.msn && last->msn == *wanted.msn + 1 && last->part == 0;
  return rolled_over && *wanted.part > 0 && !rendition.part({*wanted.msn, *wanted.part});
}

void answer_playlist(Exchange& exchange, const hls::Rendition& rendition, const Directives& directives) {
  const auto as = coding(exchange);
  const auto max_age =
      is_exactly(rendition, directives) ? blocking_cache_durations * rendition.timing().target_duration_s : 1;
  answer_with(exchange, rendition.playlist(directives.skip, as, exchange.target.foreign()), as, max_age);
}

void answer_wrong_directive(Exchange& exchange) {
  const auto& directives = exchange.target.directives();
  std::string detail(directives.wrong);
  detail += directives.part && !directives.msn
                ? " needs _HLS_msn beside it"
                : " must stand once and be a decimal number that fits; leave it away or correct it";
  exchange.answer(400, detail);
}

}  // namespace

Next multivariant_route(Exchange& exchange) {
  const auto as = coding(exchange);
  const auto& presentation = *exchange.channel->presentation();
  answer_with(exchange, presentation.multivariant(as, exchange.target.foreign()), as, 1);
  return Next::send;
}

Next playlist_route(Exchange& exchange) {
  const auto rendition = find_rendition(*exchange.channel, exchange.name->track);
  if (!rendition) {
    exchange.answer(404, exchange.awaited == Awaited::reload ? "the stream is gone" : "no such track");
    return Next::send;
  }
  const auto& directives = exchange.target.directives();
  if (rendition->ended()) {
    answer_playlist(exchange, *rendition, {});
  } else if (!directives.wrong.empty()) {
    answer_wrong_directive(exchange);
  } else if (!directives.msn || rendition->reached(*directives.msn, directives.part)) {
    answer_playlist(exchange, *rendition, directives);
  } else if (rendition->too_far(*directives.msn, directives.part)) {
    exchange.answer(400, "_HLS_msn or _HLS_part is too far ahead of the playlist; reload it without them");
  } else {
    const auto limit = blocking_target_durations * rendition->timing().target_duration_s;
    return exchange.wait_for(Awaited::reload, std::chrono::seconds(limit));
  }
  return Next::send;
}

}  // namespace lookback::server::http
