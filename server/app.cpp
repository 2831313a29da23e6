#include "server/app.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "server/archive/media_finder.hpp"
#include "server/archive/mp4_cache.hpp"
#include "server/archive/recording_view.hpp"
#include "server/control.hpp"
#include "server/http/server.hpp"
#include "server/ingest/rtmp/listener.hpp"
#include "server/ingest/srt/listener.hpp"
#include "server/network_threads.hpp"
#include "server/pictures/clip_maker.hpp"
#include "server/pictures/motion_clip_process.hpp"
#include "server/pictures/picture_cache.hpp"

namespace lookback::server {

namespace asio = boost::asio;

namespace {

std::size_t thread_count(std::size_t wanted) {
  if (wanted != 0) return wanted;
  return std::max(1u, std::thread::hardware_concurrency());
}

/// "127.0.0.1:0" and 40123 -> "127.0.0.1:40123"; ":8080" -> "0.0.0.0:8080".
std::string with_port(const std::string& listen, unsigned port) {
  const auto host = listen.substr(0, listen.rfind(':'));
  return (host.empty() ? "0.0.0.0" : host) + ":" + std::to_string(port);
}

std::vector<std::string> with_ports(const std::vector<std::string>& listen,
                                    const std::vector<std::uint16_t>& ports) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    out.push_back(with_port(listen[i].substr(0, listen[i].find('/')), ports[i]));
  }
  return out;
}

/// Why there is no server. False, for the caller's own return.
bool refuse_start(const std::string& what, const boost::system::error_code& error) {
  spdlog::critical("cannot start: {}: {}", what, error.message());
  return false;
}

/// Null: there is to be no RTMPS.
std::shared_ptr<TlsIdentity> identity_of(const rtmp::TlsOptions& options) {
  if (options.certificate.empty()) return nullptr;
  return std::make_shared<TlsIdentity>(options.certificate, options.key);
}

/// What lies in the data folder: the media, and the hashes of the secrets of the first start.
struct DataFolder {
  std::unique_ptr<store::Store> store;
  PublishKey::Opened key;
  SecretHash::Opened token;
};

/// Empty: it cannot be used, which has been logged.
std::optional<DataFolder> open_folder(store::Options options) {
  options.log = [](const std::string& line) { spdlog::warn("store: {}", line); };
  const auto path = options.path;
  const auto secret = [&](const char* name, const char* what, auto& out, auto opened) {
    if (!opened) return refuse_start(std::string(what) + " " + (path / name).string(), opened.error());
    out = std::move(*opened);
    return true;
  };
  DataFolder folder;
  auto store = store::Store::open(std::move(options));
  if (!store) {
    refuse_start("store at " + path.string(), store.error());
    return std::nullopt;
  }
  folder.store = std::move(*store);
  if (!secret("publish.key", "publishing key", folder.key, PublishKey::open(path / "publish.key")))
    return std::nullopt;
  if (!secret("admin.token", "admin token", folder.token, SecretHash::open(path / "admin.token")))
    return std::nullopt;
  return folder;
}

/// The parts of the server, in the order in which one stands on the other.
class App {
 public:
  App(AppOptions options, DataFolder folder);

  /// False: a listener's address cannot be had, which has been logged.
  bool listen();
  Started started() const;
  /// Until a signal has ended it and all that was taken is stored.
  void run();

 private:
  http::Site site();
  pictures::MediaAccess media_access();
  void await_signal();
  void on_signal(int number);
  bool listen_rtmps();
  bool reload();
  void stop();
  EffectiveSettingsPtr settings_of(std::string_view stream) const {
    return overrides_.apply(stream, options_.settings(stream));
  }

  const AppOptions options_;
  const std::shared_ptr<TlsIdentity> rtmps_identity_;  ///< null: no RTMPS
  const DataFolder folder_;
  asio::thread_pool blocking_;  ///< outlives what the network's contexts still hold
  NetworkThreads network_;
  WallClock clock_;
  Hub hub_;
  Overrides overrides_;
  Registry registry_;
  MediaFinder finder_;
  RecordingViews recording_views_;
  pictures::PictureCache pictures_;
  pictures::ClipMaker clips_;
  pictures::MotionClipProcess motion_clips_;
  pictures::Workers picture_workers_;  ///< goes first, as its jobs refer to what stands above
  /// Of signals and the service's clock, on the thread that runs the app, so that waiting for them keeps no
  /// network thread alive.
  asio::io_context main_{1};
  Control control_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<rtmp::Listener> rtmp_, rtmps_;  ///< the second is null without a certificate
  std::unique_ptr<srt::Listener> srt_;
  asio::signal_set signals_{main_, SIGINT, SIGTERM, SIGHUP};
  std::thread joiner_;  ///< waits for the network threads once the server is stopping
};

App::App(AppOptions options, DataFolder folder)
    : options_(std::move(options)),
      rtmps_identity_(identity_of(options_.rtmps)),
      folder_(std::move(folder)),
      blocking_(options_.blocking_threads),
      network_(thread_count(options_.threads)),
      hub_(network_.contexts()),
      overrides_(*folder_.store),
      registry_(
          options_.registry,
          LiveServices{*folder_.store, hub_, clock_, options_.max_standby_bytes, options_.registry.max_tracks,
                       options_.health},
          network_.contexts(), blocking_, [this](std::string_view stream) { return settings_of(stream); },
          folder_.key.hash),
      finder_(*folder_.store),
      recording_views_(*folder_.store, options_.http.recording_cache_bytes),
      pictures_(options_.pictures.cache_bytes, picture_workers_),
      clips_(pictures_, picture_workers_, media_access()),
      motion_clips_(clips_, picture_workers_),
      picture_workers_(options_.pictures),
      control_({options_.tokens, options_.recordings, options_.settings, [this] { return reload(); },
                options_.max_interval, [this] { return picture_workers_.counts(); },
                [this] { motion_clips_.tick(registry_.statuses()); }},
               folder_.token.hash, *folder_.store, registry_, overrides_, clock_, blocking_, main_) {
  hub_.on_miss = [this](const std::string& stream) { registry_.load(stream); };
}

pictures::MediaAccess App::media_access() {
  return {*folder_.store,
          [this](const auto& name, const auto& known) { return finder_.segment(name, known); },
          [this](const auto& name) { return finder_.init(name); }};
}

http::Site App::site() {
  http::Site site{hub_, *folder_.store, blocking_, http::web_assets(), [this] { return registry_.ready(); }};
  auto access = media_access();
  site.find_segment = std::move(access.find_segment);
  site.find_init = std::move(access.find_init);
  site.now_us = [this] { return clock_.now_us(); };
  site.recordings_of = [this](const std::string& stream) { return control_.recorded_ranges(stream); };
  site.recordings = &control_.recordings();
  site.recording_views = &recording_views_;
  site.access = &control_.access();
  site.api = &control_.api();
  site.pictures = &pictures_;
  site.clips = &clips_;
  site.motionclip_of = [this](const std::string& stream) { return settings_of(stream)->values.motionclip; };
  site.mp4 = std::make_shared<Mp4Cache>(options_.http.mp4_cache_bytes, blocking_);
  return site;
}

bool App::listen() {
  const auto take = [](const std::string& what, auto& listener, auto opened) {
    if (!opened) return refuse_start(what, opened.error());
    listener = std::move(*opened);
    return true;
  };
  const auto& contexts = network_.contexts();
  return take("http.listen " + options_.http.listen, http_,
              http::Server::open(contexts, options_.http, site())) &&
         take("rtmp.listen " + options_.rtmp.listen, rtmp_,
              rtmp::Listener::open(contexts, options_.rtmp, registry_)) &&
         take("srt.listen", srt_, srt::Listener::open(contexts, options_.srt, registry_, registry_)) &&
         listen_rtmps();
}

bool App::listen_rtmps() {
  if (!rtmps_identity_) return true;
  if (const auto loaded = rtmps_identity_->load(); !loaded) return refuse_start("[rtmps]", loaded.error());
  auto options = options_.rtmp;
  options.listen = options_.rtmps.listen;
  auto opened = rtmp::Listener::open(network_.contexts(), std::move(options), registry_, rtmps_identity_);
  if (!opened) return refuse_start("rtmps.listen " + options_.rtmps.listen, opened.error());
  rtmps_ = std::move(*opened);
  return true;
}

/// All or nothing: a certificate that cannot be read leaves the old one, and the old configuration.
bool App::reload() {
  TlsIdentity::Context fresh;
  if (rtmps_identity_) {
    auto read = rtmps_identity_->read();
    if (!read) return false;
    fresh = std::move(*read);
  }
  if (!options_.reload()) return false;
  if (fresh) rtmps_identity_->use(std::move(fresh));
  return true;
}

Started App::started() const {
  return {with_port(options_.http.listen, http_->port()),
          with_port(options_.rtmp.listen, rtmp_->port()),
          rtmps_ ? with_port(options_.rtmps.listen, rtmps_->port()) : std::string(),
          with_ports(options_.srt.listen, srt_->ports()),
          folder_.key.fresh_secret.value_or(""),
          options_.tokens.any() ? std::string() : folder_.token.fresh_secret.value_or("")};
}

void App::run() {
  await_signal();
  folder_.store->watch_damage([this](store::StreamId stream, store::TrackId track, std::uint64_t msn) {
    registry_.lose(stream, track, msn);
    recording_views_.forget(stream);
  });
  registry_.start();
  control_.start();
  network_.start();
  main_.run();
  joiner_.join();
  blocking_.join();
  folder_.store->flush();
  folder_.store->watch_damage({});
}

void App::await_signal() {
  signals_.async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    on_signal(number);
    await_signal();
  });
}

void App::on_signal(int number) {
  if (number == SIGHUP) {
    control_.reload();
    return;
  }
  spdlog::info("signal {}: {}", number, joiner_.joinable() ? "cutting connections" : "stopping");
  if (!joiner_.joinable()) stop();
  http_->stop();
}

void App::stop() {
  rtmp_->stop();
  if (rtmps_) rtmps_->stop();
  srt_->stop();
  control_.stop();
  picture_workers_.stop();
  registry_.stop();
  network_.release();
  joiner_ = std::thread([this] {
    network_.join();
    main_.stop();
  });
}

}  // namespace

int run(AppOptions options, const std::function<void(const Started&)>& on_started) {
  auto folder = open_folder(options.store);
  if (!folder) return 1;
  App app(std::move(options), std::move(*folder));
  if (!app.listen()) return 1;
  on_started(app.started());
  app.run();
  spdlog::info("stopped; everything taken is stored");
  return 0;
}

}  // namespace lookback::server
