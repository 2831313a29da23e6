#include "server/http/routes.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
using packager::hls::Name;

constexpr std::size_t max_stream_components = 3;
constexpr std::string_view playlist_suffix = ".m3u8";

bool is_multivariant(std::string_view leaf) { return leaf == "index.m3u8" || leaf == "master.m3u8"; }

asio::awaitable<void> not_found(Exchange& exchange) {
  exchange.answer(404, "nothing has this path");
  co_return;
}

asio::awaitable<void> page(Exchange& exchange) {
  if (!page_route(exchange)) exchange.answer(404, "nothing has this path");
  co_return;
}

/// `/APP/NAME.m3u8` is the short form of `/APP/NAME/index.m3u8`.
asio::awaitable<void> short_form(Exchange& exchange, std::string stream) {
  if (!exchange.shard.find(stream)) {
    exchange.answer(404, "no such stream");
    co_return;
  }
  auto& response = exchange.response;
  response.status = 302;
  response.caching = Caching::for_seconds(60);
  response.location = "/" + stream + "/index.m3u8";
  if (!exchange.target.query().empty()) response.location.append("?").append(exchange.target.query());
}

asio::awaitable<void> view(Exchange& exchange, std::shared_ptr<Channel> channel, std::optional<Name> name) {
  if (!name) return multivariant_route(exchange, std::move(channel));
  if (name->kind == Name::Kind::playlist) return playlist_route(exchange, std::move(channel), *name);
  return media_route(exchange, std::move(channel), *name);
}

}  // namespace

asio::awaitable<void> route(Exchange& exchange) {
  const auto& target = exchange.target;
  const auto leaf = target.leaf();
  if (target.components() < 2) return page(exchange);

  const auto name = packager::hls::parse_name(leaf);
  if (name || is_multivariant(leaf)) {
    auto channel = exchange.shard.find(target.prefix(target.components() - 1));
    if (channel) return view(exchange, std::move(channel), name);
  }
  const bool may_be_short = target.components() <= max_stream_components && leaf.ends_with(playlist_suffix) &&
                            leaf.size() > playlist_suffix.size();
  if (may_be_short) {
    auto stream = target.prefix(target.components());
    stream.remove_suffix(playlist_suffix.size());
    return short_form(exchange, std::string(stream));
  }
  if (name) return not_found(exchange);
  return page(exchange);
}

asio::awaitable<bool> wait_for_presentation(Exchange& exchange, std::shared_ptr<Channel> channel) {
  if (channel->presentation()) co_return true;
  if (exchange.site.hub.on_miss) {
    const auto& target = exchange.target;
    exchange.site.hub.on_miss(std::string(target.prefix(target.components() - 1)));
  }
  const auto deadline = Clock::now() + exchange.options.first_segment_timeout;
  while (!channel->presentation()) {
    auto wake = Wake::timed_out;
    if (!channel->removed()) wake = co_await exchange.wait(channel, deadline);
    if (wake == Wake::changed) continue;
    exchange.answer(wake, 404, "the stream has no media yet");
    co_return false;
  }
  co_return true;
}

}  // namespace lookback::server::http
