#include "server/http/routes.hpp"

#include "server/archive/alias.hpp"
#include "server/http/picture_route.hpp"
#include "server/http/storyboard_route.hpp"
#include "server/http/view.hpp"

namespace lookback::server::http {
namespace {

constexpr std::size_t max_stream_components = 3;
constexpr std::string_view playlist_suffix = ".m3u8", ranges_leaf = "ranges.json", mp4_leaf = "video.mp4";

bool is_multivariant(std::string_view leaf) { return leaf == "index.m3u8" || leaf == "master.m3u8"; }

bool is_playlist(const packager::hls::Name& name) {
  using Kind = packager::hls::Name::Kind;
  return name.kind == Kind::playlist || name.kind == Kind::iframes;
}

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

Next alias(Exchange& exchange, const archive::Answer<archive::Alias>& alias) {
  const auto& target = exchange.target;
  if (alias) {
    redirect_to_view(exchange, target.prefix(target.components() - 1), alias->leaf, alias->request);
  } else {
    exchange.answer(alias.error().status, alias.error().detail);
  }
  return Next::send;
}

/// What the exchange's channel has under its leaf; empty: nothing.
std::optional<Next> leaf_route(Exchange& exchange) {
  const auto leaf = exchange.target.leaf();
  const bool known = exchange.name || is_multivariant(leaf) || leaf == ranges_leaf || leaf == mp4_leaf ||
                     is_picture(leaf) || is_storyboard(leaf);
  if (known) return route_again(exchange);
  if (const auto other = archive::parse_alias(leaf)) return alias(exchange, *other);
  return {};
}

}  // namespace

Next route(Exchange& exchange) {
  const auto& target = exchange.target;
  const auto leaf = target.leaf();
  if (target.components() < 2) return page(exchange);
  if (target.component(0) == "api") return exchange.run(&api_route);
  if (target.component(0) == "vod") return exchange.run(&vod_route);

  exchange.name = packager::hls::parse_name(leaf);
  exchange.channel = exchange.shard.find(target.prefix(target.components() - 1));
  if (exchange.channel) {
    if (const auto next = leaf_route(exchange)) return *next;
  }
  if (is_sheet(leaf)) return exchange.run(&sheet_route);
  if (exchange.name && !is_playlist(*exchange.name))
    return exchange.run(&stored_media);  // of a stream that is not loaded
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
  if (exchange.name) return is_playlist(*exchange.name) ? playlist_route(exchange) : media_route(exchange);
  const auto leaf = exchange.target.leaf();
  if (leaf == ranges_leaf) return ranges_route(exchange);
  if (is_picture(leaf)) return exchange.run(&picture_route);
  if (is_storyboard(leaf)) return exchange.run(&storyboard_route);
  return leaf == mp4_leaf ? exchange.run(&mp4_route) : multivariant_route(exchange);
}

}  // namespace lookback::server::http
