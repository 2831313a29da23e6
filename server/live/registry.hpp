#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/ingest/ingest.hpp"
#include "server/ingest/publish_key.hpp"
#include "server/live/live_stream.hpp"

namespace lookback::server {

/// All streams of the process: admits publishers, loads what the store knows, ticks every stream once a
/// second. Thread-safe; each stream's work happens on the strand of its network thread.
class Registry final : public Ingest, public PublishGuard {
 public:
  struct Options {
    std::size_t max_streams = 2'000;  ///< loaded at once
    std::size_t max_tracks = 16;      ///< of one stream, over its whole life
    std::size_t max_feeds = 16;       ///< connections that bring one stream together
    std::size_t max_ingest_queue_bytes =
        16u << 20;  ///< samples of one publisher that its stream has not taken yet
  };

  /// `contexts`: the network threads'; `blocking`: for store calls. All outlive the registry.
  Registry(Options options, LiveServices services, std::vector<boost::asio::io_context*> contexts,
           boost::asio::thread_pool& blocking, SettingsFor settings, PublishKey server_key);

  /// Announces the store's streams to viewers, starts loading them one by one, and the ticks.
  void start();
  /// Ends all publications and takes no other. Streams finish what is on its way to the store.
  void stop();

  boost::asio::awaitable<Result<std::shared_ptr<Publication>>> publish(PublishRequest request,
                                                                       boost::asio::any_io_executor executor,
                                                                       std::function<void()> on_end) override;
  Result<PublishTerms> check(const PublishRequest& request) const override;
  /// Gives every stream its settings anew, after the configuration was reloaded.
  void apply_settings();
  /// Loads a stream that viewers ask for, if the store has it. Returns at once.
  void load(const std::string& stream);
  /// What is loaded, by name.
  std::vector<StreamStatus> statuses() const;
  /// Empty: not loaded.
  std::optional<StreamStatus> status(const std::string& stream) const;
  /// Unloads a stream that nobody publishes and gives its media away, but for what recordings refer to. Its
  /// numbers are not used again. Blocking. Errors: not_found, already_publishing.
  Result<void> forget(const std::string& stream);
  /// The stored bytes of a segment turned out to be damaged. Returns at once.
  void lose(store::StreamId stream, store::TrackId track, std::uint64_t msn);
  /// Whether every stream that the store had at the start is loaded.
  bool ready() const;

 private:
  using StreamPtr = std::shared_ptr<LiveStream>;

  Result<void> check_key(const PublishRequest& request, const StreamSettings& settings) const;
  StreamPtr find(const std::string& name) const;
  /// Blocking, on `loader_` only: finds or loads a stream, or makes it when it has a `publisher`: then its
  /// home is the publisher's own network thread, so that its samples cross none.
  Result<StreamPtr> obtain(const std::string& name, const boost::asio::any_io_executor* publisher);
  boost::asio::any_io_executor home(const std::string& name) const;
  void load_next(std::shared_ptr<std::vector<std::string>> names);
  void tick();
  void retire(const StreamPtr& stream);

  const Options options_;
  const LiveServices services_;
  const std::vector<boost::asio::io_context*> contexts_;
  boost::asio::thread_pool& blocking_;
  const SettingsFor settings_;
  const PublishKey server_key_;
  boost::asio::steady_timer timer_;
  const boost::asio::strand<boost::asio::thread_pool::executor_type> loader_;  ///< one `obtain` at a time
  mutable std::mutex mutex_;                                                   ///< guards what follows
  std::unordered_map<std::string, StreamPtr> streams_;
  bool loaded_ = false, stopped_ = false;
};

}  // namespace lookback::server
