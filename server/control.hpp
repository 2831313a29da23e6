#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <mutex>

#include "server/api/access.hpp"
#include "server/api/api.hpp"
#include "server/archive/ranges.hpp"
#include "server/archive/recording_facts.hpp"
#include "server/archive/recordings.hpp"
#include "server/live/overrides.hpp"

namespace lookback::server {

/// Recordings and the control API with all they need, and the clock that drives them. Made and started on the
/// main thread, which must run `main`; everything else is thread-safe.
class Control {
 public:
  struct Options {
    api::Tokens tokens;
    Recordings::Options recordings;
    SettingsFor configured;
    std::function<bool()> reload;
    std::function<std::chrono::milliseconds()> max_interval;
    std::function<pictures::JobCounts()> picture_counts;
    std::function<std::vector<srt::PullStatus>()> pulls;
  };
  /// `generated`: the admin token of the first start. All else outlives it.
  Control(Options options, SecretHash generated, store::Store& store, Registry& registry,
          Overrides& overrides, WallClock& clock, boost::asio::thread_pool& blocking,
          boost::asio::io_context& main);

  /// Looks after the recordings once a second, on the pool, until `stop`.
  void start();
  void stop() { timer_.cancel(); }
  /// Reads the configuration again and applies it; false: it has mistakes, and the old one stays. Blocking.
  bool reload();

  const api::Access& access() const { return access_; }
  const api::Api& api() const { return api_; }
  Recordings& recordings() { return recordings_; }
  /// A stream's recordings, for its ranges.json. From memory.
  std::vector<archive::RecordedRange> recorded_ranges(const std::string& stream) const;

 private:
  void tick();

  const Options options_;
  store::Store& store_;
  Registry& registry_;
  boost::asio::thread_pool& blocking_;
  boost::asio::steady_timer timer_;
  std::atomic<bool> looking_{false};
  std::mutex reload_mutex_;  ///< one reload at a time
  api::Access access_;
  Recordings recordings_;
  RecordingFacts facts_;
  api::Api api_;
};

}  // namespace lookback::server
