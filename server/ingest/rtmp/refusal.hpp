#pragma once
#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>

namespace lookback::server::rtmp {

/// How a publisher learns that it is not taken: the NetStream status code, and what to do about it, as
/// encoders show it to their users.
struct Refusal {
  std::string_view code;
  std::string description;
};

/// For the errors of `Ingest::publish` and of the packager's configuration parsers.
Refusal refusal(const boost::system::error_code& error);

/// Peer's text for a log line: at most `max_bytes`, with `?` for what is not printable ASCII.
std::string loggable(std::string_view text, std::size_t max_bytes = 128);

/// A stream name as far as it is made of allowed characters: a key that was typed behind a wrong separator
/// stays out of logs and answers.
std::string loggable_stream(std::string_view name);

}  // namespace lookback::server::rtmp
