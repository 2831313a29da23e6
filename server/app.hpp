#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/api/access.hpp"
#include "server/archive/recordings.hpp"
#include "server/http/options.hpp"
#include "server/ingest/rtmp/options.hpp"
#include "server/ingest/srt/options.hpp"
#include "server/ingest/srt/pull/options.hpp"
#include "server/live/registry.hpp"
#include "server/live/stream_settings.hpp"
#include "server/pictures/options.hpp"
#include "store/store.hpp"

namespace lookback::server {

/// Everything `lookback run` needs to know.
struct AppOptions {
  store::Options store;
  http::Options http;
  rtmp::Options rtmp;
  rtmp::TlsOptions rtmps;
  srt::Options srt;
  Registry::Options registry;
  pictures::Options pictures;
  std::size_t max_standby_bytes = 32u << 20;  ///< media that is kept of one backup publisher
  std::size_t threads = 0;                    ///< network threads; 0: one for each core
  std::size_t blocking_threads = 4;           ///< for store reads that may wait for the disk
  api::Tokens tokens;                         ///< of the configuration
  Recordings::Options recordings;
  SettingsFor settings;
  std::function<std::vector<srt::PullTarget>()> pulls;      ///< of the newest configuration; thread-safe
  std::function<std::chrono::milliseconds()> max_interval;  ///< limits.max_interval; thread-safe
  std::function<bool()> reload;  ///< reads the configuration again (SIGHUP); false: the old one stays. Called
                                 ///< on any thread, one call at a time
};

/// What the process prints when it is up.
struct Started {
  std::string http, rtmp;         ///< "127.0.0.1:8080": the real ports
  std::string rtmps;              ///< the same; empty: no RTMPS
  std::vector<std::string> srt;   ///< the same; empty: no SRT
  std::string fresh_publish_key;  ///< of a first start; empty later
  std::string fresh_admin_token;  ///< the same; empty, too, when the configuration has tokens
};

/// Runs the server until SIGINT or SIGTERM: then it stops accepting, ends publications, drains responses,
/// makes the store durable and returns 0. A second signal cuts connections at once. Errors at the start are
/// logged in one line each and give 1. `on_started` is called once, when all listeners take connections.
int run(AppOptions options, const std::function<void(const Started&)>& on_started);

}  // namespace lookback::server
