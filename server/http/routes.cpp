#include "server/http/routes.hpp"

namespace lookback::server::http {
namespace {

using packager::hls::Name;

constexpr std::size_t max_stream_components = 3;
constexpr std::string_view playlist_suffix = ".m3u8";

bool is_multivariant(std::string_view leaf) { return leaf == "index.m3u8" || leaf == "master.m3u8"; }

Next not_found(Exchange& exchange) {
  exchange.answer(404, "nothing has this path");
  return Next::send;
}

Next page(Exchange& exchange) { return page_route(exchange) ? Next::send : not_found(exchange); }

/// `/APP/NAME.m3u8` is the short form of `/APP/NAME/index.m3u8`.
Next short_form(Exchange& exchange, const std::string& stream) {
  if (!exchange.shard.find(stream)) {
    exchange.answer(404, "no such stream");
    return Next::send;
  }
  auto& response = exchange.response;
  response.status = 302;
  response.caching = Caching::for_seconds(60);
  response.location = "/" + stream + "/index.m3u8";
  if (!exchange.target.query().empty()) response.location.append("?").append(exchange.target.query());
  return Next::send;
}

/// The stream exists, but has published nothing yet.
Next first_segment(Exchange& exchange) {
  if (exchange.channel->removed()) {
    exchange.answer(404, "the stream has no media yet");
    return Next::send;
  }
  const auto& hub = exchange.site.hub;
  if (exchange.awaited == Awaited::nothing && hub.on_miss) {
    const auto& target = exchange.target;
    hub.on_miss(std::string(target.prefix(target.components() - 1)));
  }
  return exchange.wait_for(Awaited::first_segment, exchange.options.first_segment_timeout);
}

}  // namespace

Next route(Exchange& exchange) {
  const auto& target = exchange.target;
  const auto leaf = target.leaf();
  if (target.components() < 2) return page(exchange);

  exchange.name = packager::hls::parse_name(leaf);
  if (exchange.name || is_multivariant(leaf)) {
    exchange.channel = exchange.shard.find(target.prefix(target.components() - 1));
    if (exchange.channel) return route_again(exchange);
  }
  const bool may_be_short = target.components() <= max_stream_components && leaf.ends_with(playlist_suffix) &&
                            leaf.size() > playlist_suffix.size();
  if (may_be_short) {
    auto stream = target.prefix(target.components());
    stream.remove_suffix(playlist_suffix.size());
    return short_form(exchange, std::string(stream));
  }
  return exchange.name ? not_found(exchange) : page(exchange);
}

Next route_again(Exchange& exchange) {
  if (!exchange.channel->presentation()) return first_segment(exchange);
  if (!exchange.name) return multivariant_route(exchange);
  if (exchange.name->kind == Name::Kind::playlist) return playlist_route(exchange);
  return media_route(exchange);
}

}  // namespace lookback::server::http
