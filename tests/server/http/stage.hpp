#pragma once
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "packager/hls/names.hpp"
#include "packager/hls/presentation_builder.hpp"
#include "packager/hls/rendition_builder.hpp"
#include "server/archive/mp4_cache.hpp"
#include "server/http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/temp_dir.hpp"

/// An HTTP server on a free port of 127.0.0.1, and streams to show on it.
namespace lookback::test {

namespace hls = packager::hls;
using support::eventually;
using support::HttpClient;
using support::Response;
using namespace std::chrono_literals;

/// The server, its network threads and its hub.
class Stage {
 public:
  struct Setup {
    server::http::Options options;
    std::size_t threads = 1;
    std::vector<server::http::Asset> assets;
    std::function<Result<store::SegmentRecord>(const server::MediaName&,
                                               const std::optional<store::SegmentRecord>&)>
        find_segment;
    std::function<Result<store::InitRecord>(const server::MediaName&)> find_init;
    std::function<std::int64_t()> now_us;
    std::function<std::vector<server::archive::RecordedRange>(const std::string&)> recordings_of;
  };

  Stage() : Stage(Setup{}) {}
  explicit Stage(Setup setup) : assets(std::move(setup.assets)), store(open_store(folder_.path())) {
    std::vector<boost::asio::io_context*> pointers;
    for (std::size_t i = 0; i < setup.threads; ++i) {
      contexts_.push_back(std::make_unique<boost::asio::io_context>(1));
      pointers.push_back(contexts_.back().get());
    }
    hub = std::make_unique<server::Hub>(pointers);
    setup.options.listen = "127.0.0.1:0";
    server::http::Site site{*hub,
                            *store,
                            pool_,
                            assets,
                            [this] { return ready.load(); },
                            setup.find_segment,
                            setup.find_init,
                            setup.now_us,
                            setup.recordings_of};
    mp4 = site.mp4 = std::make_shared<server::Mp4Cache>(setup.options.mp4_cache_bytes, pool_);
    auto opened = server::http::Server::open(pointers, setup.options, site);
    if (!opened) throw std::runtime_error("cannot listen: " + opened.error().message());
    server = std::move(*opened);
  }
  ~Stage() {
    server->stop();
    server->stop();
    run_dry();
    server.reset();
    pool_.join();
    mp4.reset();
  }

  /// Starts the network threads; separate, so that a test may set `hub->on_miss` before.
  Stage& run() {
    for (auto& context : contexts_) threads_.emplace_back([&c = *context] { c.run(); });
    return *this;
  }
  /// Waits until the contexts have no work left: only after `server->stop()`.
  void run_dry() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  std::uint16_t port() const { return server->port(); }
  server::http::CounterTotals counters() const { return server->counters(); }
  /// Puts one segment into the store; the record says where it lies.
  store::SegmentRecord store_segment(std::string bytes) {
    const auto stream = store->open_stream("live/stored").value().id;
    store->put_track(stream, {.id = 0, .name = "v0", .timescale = 1000});
    store::Append append;
    append.stream = stream;
    append.timescale = 1000;
    append.segment.msn = ++stored_;
    append.segment.duration = 1000;
    append.segment.complete = true;
    append.segment.parts = {{.duration = 1000, .size_bytes = 0, .crc32c = 0, .independent = true}};
    append.bytes = {make_slice(std::move(bytes))};
    std::promise<Result<store::SegmentRecord>> stored;
    store->append(std::move(append),
                  [&](Result<store::SegmentRecord> record) { stored.set_value(std::move(record)); });
    return stored.get_future().get().value();
  }
  bool waits_for(std::uint64_t requests) {
    return eventually([&] { return counters().waiting == requests; });
  }

  const std::vector<server::http::Asset> assets;
  std::atomic<bool> ready{true};

 private:
  support::TempDir folder_;

 public:
  std::unique_ptr<store::Store> store;
  std::unique_ptr<server::Hub> hub;
  std::shared_ptr<server::Mp4Cache> mp4;
  std::unique_ptr<server::http::Server> server;

 private:
  static std::unique_ptr<store::Store> open_store(const std::filesystem::path& path) {
    store::Options options;
    options.path = path;
    options.reserve_bytes = 0;
    return std::move(store::Store::open(options).value());
  }

  std::uint64_t stored_ = 0;
  boost::asio::thread_pool pool_{2};  // outlives what the contexts still hold
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<std::thread> threads_;
};

/// One stream with one video track: segments of 1 s, four parts of 250 ms each, TARGETDURATION 1 s. Numbers
/// start at 10, so that "before the first" can be asked for.
class Feed {
 public:
  static constexpr std::uint64_t first_msn = 10;
  static constexpr std::uint32_t parts_per_segment = 4;

  explicit Feed(Stage& stage, std::string stream = "live/a", std::size_t part_bytes = 1000)
      : hub_(*stage.hub), stream_(std::move(stream)), part_bytes_(part_bytes), builder_(builder_options()) {
    format_->codecs = "avc1.64001f";
    format_->coded_width = format_->display_width = 640;
    format_->coded_height = format_->display_height = 360;
    format_->timescale = 1000;
  }

  /// What the part's bytes are: any two differ.
  std::string bytes(std::uint64_t msn, std::uint32_t part) const {
    const auto label = std::to_string(msn) + "." + std::to_string(part) + ";";
    std::string out;
    while (out.size() < part_bytes_) out += label;
    out.resize(part_bytes_);
    return out;
  }
  std::string segment_bytes(std::uint64_t msn) const {
    std::string out;
    for (std::uint32_t part = 0; part < parts_per_segment; ++part) out += bytes(msn, part);
    return out;
  }

  void parts(std::size_t count) {
    while (count-- > 0) part();
    publish();
  }
  void segments(std::size_t count) { parts(count * parts_per_segment); }
  /// A complete segment whose bytes only the store has.
  void stored_segment(const store::SegmentRecord& stored, Chain in_memory = {}) {
    record_ = next_record();
    record_.parts = {{.duration = 1000, .size_bytes = stored.size_bytes, .crc32c = 0, .independent = true}};
    record_.duration = 1000;
    record_.extent = stored.extent;
    record_.offset = stored.offset;
    record_.size_bytes = stored.size_bytes;
    record_.complete = true;
    builder_.add(record_, std::move(in_memory));
    publish();
  }
  void end() {
    builder_.set_ended(true);
    publish();
  }

  std::string part_path(std::uint64_t msn, std::uint32_t part) const {
    return "/" + stream_ + "/" + hls::part_name("v0", "k3f9", msn, part);
  }
  std::string segment_path(std::uint64_t msn) const {
    return "/" + stream_ + "/" + hls::segment_name("v0", "k3f9", msn);
  }
  std::string init_path() const { return "/" + stream_ + "/" + hls::init_name("v0", "k3f9", 1); }
  std::string playlist_path(const std::string& query = {}) const {
    return "/" + stream_ + "/v0.m3u8" + query;
  }

 private:
  hls::RenditionBuilder::Options builder_options() const {
    hls::RenditionBuilder::Options options;
    options.timing = {.target_duration_s = 1, .part_target_us = 250'000};
    options.generation = "k3f9";
    options.track = "v0";
    options.timescale = 1000;
    options.window_us = 20'000'000;
    return options;
  }
  store::SegmentRecord next_record() const {
    store::SegmentRecord next;
    next.msn = record_.msn == 0 ? first_msn : record_.msn + 1;
    next.start = static_cast<std::int64_t>(next.msn) * 1000;
    next.pdt_us = 1'700'000'000'000'000 + next.start * 1000;
    next.init_id = 1;
    next.extent = 1;  // as if the store had taken it
    return next;
  }
  void part() {
    if (record_.msn == 0 || record_.complete) record_ = next_record();
    const auto index = static_cast<std::uint32_t>(record_.parts.size());
    record_.parts.push_back({.duration = 250,
                             .size_bytes = static_cast<std::uint32_t>(part_bytes_),
                             .crc32c = 0,
                             .independent = index == 0});
    if (index == 0) record_.sync_bytes = static_cast<std::uint32_t>(part_bytes_ / 2);
    record_.duration += 250;
    record_.size_bytes += static_cast<std::uint32_t>(part_bytes_);
    record_.complete = record_.parts.size() == parts_per_segment;
    builder_.add(record_, Chain{make_slice(bytes(record_.msn, index))});
  }
  void publish() {
    hls::PresentationTrack track;
    track.format = format_;
    track.rendition = builder_.snapshot({});
    track.inits = inits_;
    track.iframe_rates = builder_.iframe_rates();
    hub_.publish(stream_, hls::make_presentation("k3f9", {track}));
  }

  server::Hub& hub_;
  std::string stream_;
  std::size_t part_bytes_;
  hls::RenditionBuilder builder_;
  store::SegmentRecord record_;
  std::shared_ptr<packager::TrackFormat> format_ = std::make_shared<packager::TrackFormat>();
  std::shared_ptr<const hls::Inits> inits_ =
      std::make_shared<const hls::Inits>(hls::Inits{{1, make_slice(std::string("init of v0"))}});
};

}  // namespace lookback::test
