#pragma once
#include <string>
#include <string_view>

namespace lookback::server {

/// Peer's text for a log line: at most `max_bytes`, with `?` for what is not printable ASCII.
std::string loggable(std::string_view text, std::size_t max_bytes = 128);

/// A stream name as far as it is made of allowed characters: a key that was typed behind a wrong separator
/// stays out of logs and answers.
std::string loggable_stream(std::string_view name);

}  // namespace lookback::server
