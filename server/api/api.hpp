#pragma once
#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "server/api/access.hpp"
#include "server/api/problem.hpp"
#include "server/archive/recording_facts.hpp"
#include "server/archive/recordings.hpp"
#include "server/ingest/srt/pull/status.hpp"
#include "server/live/overrides.hpp"
#include "server/live/registry.hpp"
#include "server/pictures/workers.hpp"

/// The control API below /api/v1/, without HTTP: a call comes in, a reply goes out. `route_table.cpp` names
/// every route with the role it takes.
namespace lookback::server::api {

enum class Verb { get, post, put, patch, remove };

/// One request. Its sizes are bounded by the HTTP server's options.
struct Call {
  Verb verb = Verb::get;
  std::string path;      ///< below /api/v1/: "recordings/k3f90a2b7c1d/stop"
  std::string resource;  ///< the path's variable part, filled in by `handle`: "k3f90a2b7c1d"
  std::string query, body, if_match;
  Role role = Role::read;
};

struct Reply {
  unsigned status = 200;
  boost::json::value body;  ///< null: nothing is sent (204)
  std::string etag;         ///< quoted
  std::string location;
};

/// What the API works on; all outlive it.
struct Services {
  store::Store& store;
  Registry& registry;
  Recordings& recordings;
  RecordingFacts& facts;
  Overrides& overrides;
  SettingsFor configured;        ///< a stream's settings without the API's overrides
  std::function<bool()> reload;  ///< reads the configuration again; false: it has mistakes
  std::function<std::int64_t()> now_us;
  std::function<std::chrono::milliseconds()> max_interval;  ///< limits.max_interval
  std::function<pictures::JobCounts()> picture_counts;
  std::function<std::vector<srt::PullStatus>()> pulls;  ///< what is pulled from elsewhere
};

/// Thread-safe.
class Api {
 public:
  explicit Api(Services services) : services_(std::move(services)) {}
  /// Blocking: on the pool. Problems: 404 (no such route), 405 (`errors` is empty, the detail names the
  /// methods), 403 (the role does not do), and the route's own.
  Outcome<Reply> handle(Call call) const;

 private:
  const Services services_;
};

}  // namespace lookback::server::api
