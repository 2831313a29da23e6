#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "server/api/api.hpp"
#include "server/api/json.hpp"

/// Our values as the API's JSON.
namespace lookback::server::api {

/// RFC 3339, or null for "no end".
json::value time_or_null(std::int64_t us);
/// Seconds as a number.
json::value seconds(std::int64_t us);

/// `facts` empty: not counted yet, `gaps` and `bytes` are null.
json::object to_json(const Recording& recording, const std::optional<RangeFacts>& facts);

/// The four processes as they are in force.
json::object processes_json(const StreamSettings& settings);
/// Every setting with its value and its origin.
json::object settings_json(const EffectiveSettings& settings);
/// The strong tag of a stream's settings: another text, another tag.
std::string settings_tag(const EffectiveSettings& settings);

/// 404 for an unknown recording or stream, 409, 503: what a service's error means to the caller.
Problem to_problem(const boost::system::error_code& error);

}  // namespace lookback::server::api
