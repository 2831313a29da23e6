#pragma once
#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>

#include "server/ingest/loggable.hpp"

namespace lookback::server::rtmp {

/// How a publisher learns that it is not taken: the NetStream status code, and what to do about it, as
/// encoders show it to their users.
struct Refusal {
  std::string_view code;
  std::string description;
};

/// For the errors of `Ingest::publish` and of the packager's configuration parsers.
Refusal refusal(const boost::system::error_code& error);

}  // namespace lookback::server::rtmp
