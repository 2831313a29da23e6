#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conf/setting.hpp"
#include "server/api/options.hpp"
#include "server/http/options.hpp"
#include "server/ingest/rtmp/options.hpp"
#include "server/ingest/srt/options.hpp"
#include "server/ingest/srt/pull/options.hpp"
#include "server/live/stream_settings.hpp"
#include "server/pictures/options.hpp"
#include "store/options.hpp"

/// The way of a setting: file, environment and flags are read by `load` (conf/load.hpp), each value is
/// checked against its key's type, goes into the Options struct of the layer that uses it, and its origin
/// is remembered. A Config is complete and valid: the layers need not check again.
namespace lookback::conf {

/// Bounds of the whole process.
struct Limits {
  std::size_t max_streams = 2'000;  ///< streams loaded at the same time; a publish above is refused
  std::size_t max_tracks = 16;      ///< of one stream, over its whole life: renditions and languages
  std::size_t max_feeds = 16;       ///< connections that bring one stream together, as NAME@RENDITION
  std::size_t max_ingest_queue_bytes =
      16u << 20;  ///< of one publisher, not yet taken by its stream; above, it is dropped
  std::size_t max_standby_bytes = 32u << 20;       ///< media that is kept of one backup publisher
  std::size_t max_recordings = 100'000;            ///< of all streams together
  std::size_t max_recordings_per_stream = 10'000;  ///< making one above is refused
  std::chrono::milliseconds max_interval{60'000};  ///< upper bound of thumbs.interval and motionclip.interval
};

/// HTTPS listener; kept, not used by this build.
struct HttpsOptions {
  std::string listen = ":8443";
  std::string certificate;  ///< path of a PEM file; empty: no HTTPS
  std::string key;          ///< path of a PEM file
};

/// One `[streams."pattern"]` section: what it overrides.
struct StreamSection {
  struct Override {
    const Setting<server::StreamSettings>* setting = nullptr;  ///< of the static list
    Value value;
    std::string origin;
  };
  std::string pattern;
  std::vector<Override> overrides;  ///< a later one replaces an earlier one of the same key
};

/// Everything an operator can decide. Immutable once loaded; share it as `shared_ptr<const Config>`.
struct Config {
  std::size_t threads = 0;           ///< network threads; 0: one for each CPU
  std::size_t blocking_threads = 4;  ///< for store reads that may wait for the disk
  std::string log_level = "info";    ///< trace, debug, info, warning or error
  store::Options store;
  server::http::Options http;
  server::rtmp::Options rtmp;
  server::rtmp::TlsOptions rtmps;
  server::srt::Options srt;
  server::pictures::Options pictures;
  server::api::Tokens tokens;
  HttpsOptions https;
  Limits limits;
  server::StreamSettings defaults;
  std::vector<StreamSection> streams;  ///< in the order in which they apply: the most specific last

  /// By full name ("http.listen", "defaults.replay.duration"): "default", "lookback.toml:12:1",
  /// "LOOKBACK_HTTP_LISTEN" or "--http-listen". Holds every key except those of `streams`.
  std::map<std::string, std::string, std::less<>> origins;

  /// The settings of one stream: the built-in defaults, `[defaults]`, then every section whose pattern
  /// covers the name, from the least to the most specific: globs by their number of literal characters,
  /// equals in file order, the exact name last. Where only a combination of sections asks for parts longer
  /// than a segment, or segments longer than `max_segment`, the part target is lowered or `max_segment`
  /// raised.
  server::EffectiveSettingsPtr settings_for(std::string_view stream) const;
  /// The remote listeners that streams are pulled from.
  std::vector<server::srt::PullTarget> pulls() const;
};

}  // namespace lookback::conf
