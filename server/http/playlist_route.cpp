#include "server/http/routes.hpp"
#include "server/http/view.hpp"

namespace lookback::server::http {
namespace {

constexpr std::uint32_t blocking_target_durations = 3;  // rfc8216bis 6.2.5.2

}  // namespace

void answer_wrong_directive(Exchange& exchange) {
  const auto& directives = exchange.target.directives();
  std::string detail(directives.wrong);
  detail += directives.part && !directives.msn
                ? " needs _HLS_msn beside it"
                : " must stand once and be a decimal number that fits; leave it away or correct it";
  exchange.answer(400, detail);
}

Next multivariant_route(Exchange& exchange) {
  const auto& target = exchange.target;
  answer_multivariant(exchange, exchange.channel->presentation(), target.prefix(target.components() - 1));
  return Next::send;
}

Next ranges_route(Exchange& exchange) {
  const auto& target = exchange.target;
  answer_ranges(exchange, target.prefix(target.components() - 1), exchange.channel->presentation().get());
  return Next::send;
}

Next playlist_route(Exchange& exchange) {
  const auto request = take_view(exchange);
  if (!request) return Next::send;
  if (exchange.channel->removed()) {
    exchange.answer(404, "the stream is gone");
    return Next::send;
  }
  const auto viewed = see(exchange, *request, exchange.channel->presentation());
  if (!viewed.presentation) return Next::send;
  return answer_reload(exchange, find_rendition(*viewed.presentation, *exchange.name), viewed.max_age_s);
}

Next answer_reload(Exchange& exchange, const std::shared_ptr<const packager::hls::Rendition>& rendition,
                   std::uint32_t max_age_s) {
  const auto& directives = exchange.target.directives();
  if (!rendition) {
    exchange.answer(404, exchange.awaited == Awaited::reload ? "the stream is gone" : "no such track");
  } else if (!rendition->takes_directives()) {
    answer_playlist(exchange, *rendition, {}, max_age_s);
  } else if (!directives.wrong.empty()) {
    answer_wrong_directive(exchange);
  } else if (!directives.msn || rendition->reached(*directives.msn, directives.part)) {
    answer_playlist(exchange, *rendition, directives, max_age_s);
  } else if (rendition->too_far(*directives.msn, directives.part)) {
    exchange.answer(400, "_HLS_msn or _HLS_part is too far ahead of the playlist; reload it without them");
  } else {
    const auto limit = blocking_target_durations * rendition->timing().target_duration_s;
    return exchange.wait_for(Awaited::reload, std::chrono::seconds(limit));
  }
  return Next::send;
}

}  // namespace lookback::server::http
