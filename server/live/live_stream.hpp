#pragma once
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "packager/hls/presentation_builder.hpp"
#include "packager/hls/rendition_builder.hpp"
#include "packager/stream_packager.hpp"
#include "server/base/wall_clock.hpp"
#include "server/ingest/ingest.hpp"
#include "server/live/hub.hpp"
#include "server/live/ingest_health.hpp"
#include "server/live/pending_appends.hpp"
#include "server/live/publisher_group.hpp"
#include "server/live/standby_buffer.hpp"
#include "server/live/stream_settings.hpp"
#include "server/live/stream_status.hpp"
#include "store/store.hpp"

/// The middle of a packet's path: a publication posts its samples to the stream's strand, the packager cuts
/// them, the store writes each part, and when the writer says so the part is added to its rendition and
/// published to all network threads.
namespace lookback::server {

/// What all streams share. Outlives them.
struct LiveServices {
  store::Store& store;
  Hub& hub;
  WallClock& clock;
  std::size_t max_standby_bytes = 32u << 20;  ///< media that is kept of a publisher that stands by
  std::size_t max_tracks = 16;                ///< of one stream, over its whole life
  std::size_t max_feeds = 16;                 ///< connections that bring one stream together
};

class LiveStream;

/// A publisher's hold on a LiveStream. Thread-safe.
class LivePublication final : public Publication, public std::enable_shared_from_this<LivePublication> {
 public:
  LivePublication(std::shared_ptr<LiveStream> stream, PublishRequest request,
                  boost::asio::any_io_executor executor, std::function<void()> on_end,
                  std::size_t max_queue_bytes, std::int64_t now_us);
  bool push(std::vector<IngestEvent> events) override;
  void report(const LinkStats& stats) override;
  void close(std::string why) override;
  std::string reason() const override;
  const PublishRequest& request() const { return request_; }
  /// How long nothing came from it.
  std::chrono::milliseconds silence() const;

 private:
  friend class LiveStream;
  /// Called by the stream: no more events; tells the session. Idempotent.
  void end(const std::string& why);

  const std::shared_ptr<LiveStream> stream_;
  const PublishRequest request_;
  const boost::asio::any_io_executor executor_;
  const std::function<void()> on_end_;
  const std::size_t max_queue_bytes_;
  const std::int64_t since_us_;    ///< Unix us
  std::optional<LinkStats> link_;  ///< belongs to the stream's strand
  std::atomic<std::chrono::steady_clock::time_point> last_events_{std::chrono::steady_clock::now()};
  std::atomic<std::size_t> queued_bytes_{0};
  std::atomic<bool> ended_{false};
  mutable std::mutex mutex_;  ///< guards reason_
  std::string reason_;
};

/// One stream: its packager, its renditions, its publisher, and the one that stands by. Belongs to its strand
/// (the executor of one network thread); only `executor()`, `name()`, `id()`, `status()`, `refusal()` and the
/// publication's methods may be used from elsewhere.
class LiveStream : public std::enable_shared_from_this<LiveStream> {
 public:
  LiveStream(LiveServices services, boost::asio::any_io_executor executor, store::StreamRecord record,
             EffectiveSettingsPtr settings, const store::Window& window);

  const std::string& name() const { return name_; }
  const boost::asio::any_io_executor& executor() const { return executor_; }
  store::StreamId id() const { return id_; }
  /// Thread-safe.
  StreamStatus status() const;
  /// Why `admit` would not take a publisher: already_publishing, already_backed_up, too_many_connections;
  /// none: it would. Thread-safe.
  boost::system::error_code refusal(const PublishRequest& request) const;

  /// Publishes what the store had; starts the grace time of a publisher that a restart interrupted.
  void start();
  /// Gives the stream to a publisher, lets it join the one that is on the air as another rendition, or stand
  /// by beside it, or says why not. Errors: already_publishing, already_backed_up, too_many_connections,
  /// shutting_down.
  Result<std::shared_ptr<LivePublication>> admit(PublishRequest request,
                                                 boost::asio::any_io_executor executor,
                                                 std::function<void()> on_end, std::size_t max_queue_bytes);
  /// New settings: grace, take-over, keys and the window's length at once (what has left the window does not
  /// come back before the stream is loaded next); what may not change while its playlists live (segment and
  /// part targets) never.
  void apply(EffectiveSettingsPtr settings);
  /// Once a second: trims the window, expires what has left it. True: nothing is left and nobody publishes.
  bool tick();
  /// The stored bytes of a segment turned out to be damaged: playlists call it a gap from now on.
  void lose(store::TrackId track, std::uint64_t msn);
  /// Ends the session and takes no other; parts on their way to the store are still published.
  void stop();
  bool is_publishing() const { return on_air_ != nullptr; }

 private:
  friend class LivePublication;
  struct Track {
    store::TrackRecord record;
    std::unique_ptr<packager::hls::RenditionBuilder> builder;
    std::shared_ptr<const packager::hls::Rendition> rendition;  ///< null: no complete segment yet
    std::shared_ptr<const packager::hls::Inits> inits = std::make_shared<packager::hls::Inits>();
    std::shared_ptr<const packager::TrackFormat> format;  ///< of the newest init
    std::shared_ptr<const packager::hls::Formats> formats = std::make_shared<packager::hls::Formats>();
    bool changed = false;
  };

  void take(const std::shared_ptr<LivePublication>& publication, std::vector<IngestEvent> events);
  Result<void> package(IngestEvent event, std::int64_t now_us, packager::Outputs& outputs);
  Result<void> package_all(std::vector<IngestEvent> events, std::int64_t now_us);
  void leave(const std::shared_ptr<LivePublication>& publication, const std::string& why);
  void end_session(const std::string& why);
  void finish_session(const std::string& why);

  // live_publishers.cpp
  PublisherGroupPtr group_of(const LivePublication& publication) const;
  void begin_session(PublisherGroupPtr group);
  void stand_by(PublisherGroupPtr group);
  void join(const PublisherGroupPtr& group, const std::shared_ptr<LivePublication>& publication);
  void drop(const PublisherGroupPtr& group, const std::shared_ptr<LivePublication>& publication,
            const std::string& why);
  void tell_publishers();
  void hold(std::vector<IngestEvent> events);
  void promote(const std::string& why);
  void fail_over();
  void end_standby(const std::string& why);
  void look_at_health();
  void handle(packager::Outputs outputs);
  void add_track(const packager::NewTrack& track);
  void add_init(const store::InitRecord& init, std::optional<packager::TrackFormat> format);
  void append(store::Append append);
  void answered(std::uint64_t id, const Result<store::SegmentRecord>& result);
  void list_pending();
  void watch_store();
  void schedule_publish();
  void publish();
  bool awaits_tracks() const;
  void set_ended(bool ended);
  void start_grace(std::chrono::milliseconds left);
  std::int64_t window_us() const;
  /// Changes what `status()` tells; any member function may.
  template <class Change>
  void tell(Change change) {
    const std::lock_guard lock(status_mutex_);
    change(status_);
  }
  Track& track(store::TrackId id);

  const LiveServices services_;
  const boost::asio::any_io_executor executor_;
  const std::string name_;
  const store::StreamId id_;
  EffectiveSettingsPtr settings_;
  packager::Outputs restored_;  ///< of the packager's constructor, handled by start()
  packager::StreamPackager packager_;
  std::deque<Track> tracks_;
  PublisherGroupPtr on_air_;  ///< changed under status_mutex_
  struct Standby {
    PublisherGroupPtr group;
    StandbyBuffer buffer;
  };
  std::optional<IngestHealth> health_;  ///< of the session
  std::optional<Standby> standby_;      ///< only beside one that is on the air; changed under status_mutex_
  boost::asio::steady_timer grace_;
  PendingAppends pending_;
  boost::asio::steady_timer store_watch_;  ///< set while parts wait for the store
  store::StreamRecord stored_;             ///< as last put into the store
  std::chrono::steady_clock::time_point last_expiry_{};
  mutable std::mutex status_mutex_;  ///< guards status_, and who may look at the publishers from elsewhere
  StreamStatus status_;
  bool in_run_ = false;  ///< from a publish until the playlists end
  bool shown_ = false, ended_ = false, stopped_ = false, publish_scheduled_ = false, store_failing_ = false;
  bool watching_store_ = false, store_stalled_ = false;
};

}  // namespace lookback::server
