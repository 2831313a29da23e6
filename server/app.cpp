#include "server/app.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <memory>
#include <thread>
#include <vector>

#include "server/archive/media_finder.hpp"
#include "server/archive/mp4_cache.hpp"
#include "server/archive/recording_view.hpp"
#include "server/control.hpp"
#include "server/http/server.hpp"
#include "server/ingest/rtmp/listener.hpp"
#include "server/ingest/srt/listener.hpp"

namespace lookback::server {

namespace asio = boost::asio;

namespace {

/// The network threads: one io_context each, kept running until `release`.
class NetworkThreads {
 public:
  explicit NetworkThreads(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      owned_.push_back(std::make_unique<asio::io_context>(1));
      guards_.push_back(asio::make_work_guard(*owned_.back()));
      contexts_.push_back(owned_.back().get());
    }
  }
  const std::vector<asio::io_context*>& contexts() const { return contexts_; }
  void start() {
    for (auto* context : contexts_) threads_.emplace_back([context] { context->run(); });
  }
  void release() { guards_.clear(); }
  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::unique_ptr<asio::io_context>> owned_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::vector<asio::io_context*> contexts_;
  std::vector<std::thread> threads_;
};

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

int refuse_start(const std::string& what, const boost::system::error_code& error) {
  spdlog::critical("cannot start: {}: {}", what, error.message());
  return 1;
}

}  // namespace

int run(AppOptions options, const std::function<void(const Started&)>& on_started) {
  options.store.log = [](const std::string& line) { spdlog::warn("store: {}", line); };
  const auto path = options.store.path;
  auto store = store::Store::open(options.store);
  if (!store) return refuse_start("store at " + path.string(), store.error());
  auto key = PublishKey::open(path / "publish.key");
  if (!key) return refuse_start("publishing key " + (path / "publish.key").string(), key.error());
  auto token = SecretHash::open(path / "admin.token");
  if (!token) return refuse_start("admin token " + (path / "admin.token").string(), token.error());

  asio::thread_pool blocking(options.blocking_threads);  // outlives what the network's contexts still hold
  NetworkThreads network(thread_count(options.threads));
  WallClock clock;
  Hub hub(network.contexts());
  const LiveServices services{**store, hub, clock};
  Overrides overrides(**store);
  const SettingsFor settings = [&](std::string_view stream) {
    return overrides.apply(stream, options.settings(stream));
  };
  Registry registry(options.registry, services, network.contexts(), blocking, settings, key->hash);
  hub.on_miss = [&registry](const std::string& stream) { registry.load(stream); };

  http::Site site{hub, **store, blocking, http::web_assets(), [&registry] { return registry.ready(); }, {}};
  site.mp4 = std::make_shared<Mp4Cache>(options.http.mp4_cache_bytes, blocking);
  site.now_us = [&clock] { return clock.now_us(); };
  MediaFinder finder(**store);
  RecordingViews recording_views(**store, options.http.recording_cache_bytes);
  site.find_segment = [&finder](const auto& name, const auto& known) { return finder.segment(name, known); };
  site.find_init = [&finder](const auto& name) { return finder.init(name); };
  // Signals and the service's clock have a context of their own on this thread, so that waiting for them
  // keeps no network thread alive.
  asio::io_context main(1);
  Control control(
      {options.tokens, options.recordings, options.settings, options.reload, options.max_interval},
      token->hash, **store, registry, overrides, clock, blocking, main);
  site.recordings = &control.recordings();
  site.recording_views = &recording_views;
  site.recordings_of = [&control](const std::string& stream) { return control.recorded_ranges(stream); };
  site.access = &control.access();
  site.api = &control.api();
  auto http = http::Server::open(network.contexts(), options.http, std::move(site));
  if (!http) return refuse_start("http.listen " + options.http.listen, http.error());
  auto rtmp = rtmp::Listener::open(network.contexts(), options.rtmp, registry);
  if (!rtmp) return refuse_start("rtmp.listen " + options.rtmp.listen, rtmp.error());

  auto srt = srt::Listener::open(network.contexts(), options.srt, registry, registry);
  if (!srt) return refuse_start("srt.listen", srt.error());

  asio::signal_set signals(main, SIGINT, SIGTERM, SIGHUP);
  std::thread joiner;
  std::function<void()> await_signal = [&] {
    signals.async_wait([&](boost::system::error_code error, int number) {
      if (error) return;
      if (number == SIGHUP) {
        control.reload();
        return await_signal();
      }
      spdlog::info("signal {}: {}", number, joiner.joinable() ? "cutting connections" : "stopping");
      if (!joiner.joinable()) {
        (*rtmp)->stop();
        (*srt)->stop();
        control.stop();
        registry.stop();
        network.release();
        joiner = std::thread([&] {
          network.join();
          main.stop();
        });
      }
      (*http)->stop();
      await_signal();
    });
  };
  await_signal();
  (*store)->watch_damage([&](store::StreamId stream, store::TrackId track, std::uint64_t msn) {
    registry.lose(stream, track, msn);
    recording_views.forget(stream);
  });
  registry.start();
  control.start();
  on_started({with_port(options.http.listen, (*http)->port()),
              with_port(options.rtmp.listen, (*rtmp)->port()),
              with_ports(options.srt.listen, (*srt)->ports()), key->fresh_secret.value_or(""),
              options.tokens.any() ? std::string() : token->fresh_secret.value_or("")});
  network.start();
  main.run();
  joiner.join();
  blocking.join();
  (*store)->flush();
  (*store)->watch_damage({});
  spdlog::info("stopped; everything taken is stored");
  return 0;
}

}  // namespace lookback::server
