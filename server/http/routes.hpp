#pragma once
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "packager/hls/names.hpp"
#include "server/http/exchange.hpp"

/// From a parsed request to its response. Routes run on the network thread; the exchange outlives them.
namespace lookback::server::http {

/// Answers a GET or HEAD whose target is parsed.
boost::asio::awaitable<void> route(Exchange& exchange);

/// `index.m3u8`, `master.m3u8`: the multivariant playlist.
boost::asio::awaitable<void> multivariant_route(Exchange& exchange, std::shared_ptr<Channel> channel);
/// `v0.m3u8`: a media playlist, with blocking reload and delta updates (rfc8216bis 6.2.5).
boost::asio::awaitable<void> playlist_route(Exchange& exchange, std::shared_ptr<Channel> channel,
                                            packager::hls::Name name);
/// Inits, segments and parts, the hinted part too (rfc8216bis 6.2.6). `name` points into the exchange's
/// target.
boost::asio::awaitable<void> media_route(Exchange& exchange, std::shared_ptr<Channel> channel,
                                         packager::hls::Name name);
/// Pages, their assets and the health checks; false: none has this path.
bool page_route(Exchange& exchange);

/// Waits for the first presentation of a stream that has none yet. False: there is an answer already.
boost::asio::awaitable<bool> wait_for_presentation(Exchange& exchange, std::shared_ptr<Channel> channel);

}  // namespace lookback::server::http
