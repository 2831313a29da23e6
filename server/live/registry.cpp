#include "server/live/registry.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <limits>

#include "server/base/call_on.hpp"
#include "server/live/stored_window.hpp"

namespace lookback::server {

namespace asio = boost::asio;

namespace {

LiveServices with_bounds(LiveServices services, const Registry::Options& options) {
  services.max_tracks = options.max_tracks;
  services.max_feeds = options.max_feeds;
  return services;
}

}  // namespace

Registry::Registry(Options options, LiveServices services, std::vector<asio::io_context*> contexts,
                   asio::thread_pool& blocking, SettingsFor settings, PublishKey server_key)
    : options_(options),
      services_(with_bounds(services, options)),
      contexts_(std::move(contexts)),
      blocking_(blocking),
      settings_(std::move(settings)),
      server_key_(std::move(server_key)),
      timer_(*contexts_.front()),
      loader_(asio::make_strand(blocking_.get_executor())) {}

void Registry::start() {
  auto records = services_.store.streams();
  // Loaded from the back: those that ended last are asked for first.
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return a.epoch_us + a.end_us < b.epoch_us + b.end_us; });
  auto names = std::make_shared<std::vector<std::string>>();
  for (const auto& record : records) {
    services_.hub.announce(record.name);
    names->push_back(record.name);
  }
  load_next(std::move(names));
  asio::post(*contexts_.front(), [this] { tick(); });
}

/// One task for each stream, so that a publisher's `obtain` does not wait for all of them.
void Registry::load_next(std::shared_ptr<std::vector<std::string>> names) {
  asio::post(loader_, [this, names = std::move(names)]() mutable {
    if (names->empty()) {
      const std::lock_guard lock(mutex_);
      loaded_ = true;
      return;
    }
    if (auto loaded = obtain(names->back(), nullptr); !loaded && loaded.error() != Errc::shutting_down) {
      spdlog::error("{}: cannot be loaded: {}", names->back(), loaded.error().message());
    }
    names->pop_back();
    load_next(std::move(names));
  });
}

bool Registry::ready() const {
  const std::lock_guard lock(mutex_);
  return loaded_ && !stopped_;
}

void Registry::stop() {
  std::vector<StreamPtr> streams;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& [name, stream] : streams_) streams.push_back(stream);
  }
  for (const auto& stream : streams) asio::post(stream->executor(), [stream] { stream->stop(); });
  asio::post(*contexts_.front(), [this] { timer_.cancel(); });
}

void Registry::apply_settings() {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, stream] : streams_) {
    asio::post(stream->executor(),
               [stream = stream, settings = settings_(name)] { stream->apply(settings); });
  }
}

// --- publishers ---------------------------------------------------------------------------------

Result<void> Registry::check_key(const PublishRequest& request, const StreamSettings& settings) const {
  if (settings.publish == PublishPolicy::open || request.configured) return {};
  if (request.key.empty()) {
    if (request.from_loopback) return {};
    return Errc::wrong_key;
  }
  if (!settings.key.empty() && PublishKey::of_secret(settings.key).matches(request.key)) return {};
  if (server_key_.matches(request.key)) return {};
  return Errc::wrong_key;
}

Result<PublishTerms> Registry::check(const PublishRequest& request) const {
  if (auto name = check_stream_name(request.stream); !name) return name.error();
  const auto settings = settings_(request.stream);
  if (auto key = check_key(request, settings->values); !key) return key.error();
  const std::lock_guard lock(mutex_);
  if (stopped_) return Errc::shutting_down;
  const auto found = streams_.find(request.stream);
  if (found == streams_.end() && streams_.size() >= options_.max_streams) return Errc::too_many_streams;
  if (found != streams_.end()) {
    if (const auto refused = found->second->refusal(request)) return refused;
  }
  return PublishTerms{settings->values.srt_passphrase};
}

asio::awaitable<Result<std::shared_ptr<Publication>>> Registry::publish(PublishRequest request,
                                                                        asio::any_io_executor executor,
                                                                        std::function<void()> on_end) {
  using Answer = Result<std::shared_ptr<Publication>>;
  if (auto name = check_stream_name(request.stream); !name) co_return name.error();
  const auto settings = settings_(request.stream);
  if (auto key = check_key(request, settings->values); !key) co_return key.error();

  auto stream = find(request.stream);
  if (!stream) {
    auto obtain_it = [this, name = request.stream, executor] { return obtain(name, &executor); };
    auto obtained = co_await call_on<Result<StreamPtr>>(loader_, std::move(obtain_it));
    if (!obtained) co_return obtained.error();
    stream = std::move(*obtained);
  }
  services_.hub.announce(stream->name());
  auto admit = [stream, request = std::move(request), executor, on_end = std::move(on_end),
                bound = options_.max_ingest_queue_bytes]() mutable -> Answer {
    auto admitted = stream->admit(std::move(request), executor, std::move(on_end), bound);
    if (!admitted) return admitted.error();
    return std::shared_ptr<Publication>(std::move(*admitted));
  };
  co_return co_await call_on<Answer>(stream->executor(), std::move(admit));
}

// --- streams --------------------------------------------------------------------------------------

Registry::StreamPtr Registry::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(name);
  return found == streams_.end() ? nullptr : found->second;
}

void Registry::load(const std::string& stream) {
  if (find(stream)) return;
  asio::post(loader_, [this, stream] {
    if (auto loaded = obtain(stream, nullptr); !loaded && loaded.error() != store::Errc::not_found) {
      spdlog::error("{}: cannot be loaded: {}", stream, loaded.error().message());
    }
  });
}

std::vector<StreamStatus> Registry::statuses() const {
  std::vector<StreamStatus> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, stream] : streams_) out.push_back(stream->status());
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

std::optional<StreamStatus> Registry::status(const std::string& stream) const {
  const auto found = find(stream);
  if (!found) return std::nullopt;
  return found->status();
}

Result<void> Registry::forget(const std::string& name) {
  StreamPtr stream;
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(name);
    if (found == streams_.end()) return store::Errc::not_found;
    stream = found->second;
    if (stream->status().state == StreamStatus::State::publishing) return Errc::already_publishing;
    streams_.erase(found);
  }
  asio::post(stream->executor(), [stream] { stream->stop(); });
  services_.hub.remove(name);
  services_.store.expire(stream->id(), std::numeric_limits<std::int64_t>::max());
  spdlog::info("{}: deleted; recordings keep what they refer to", name);
  return {};
}

void Registry::lose(store::StreamId id, store::TrackId track, std::uint64_t msn) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, stream] : streams_) {
    if (stream->id() == id)
      asio::post(stream->executor(), [=, stream = stream] { stream->lose(track, msn); });
  }
}

Result<Registry::StreamPtr> Registry::obtain(const std::string& name,
                                             const asio::any_io_executor* publisher) {
  if (auto stream = find(name)) return stream;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return Errc::shutting_down;
    if (streams_.size() >= options_.max_streams) return Errc::too_many_streams;
  }
  if (!publisher) {
    const auto records = services_.store.streams();
    const auto is_it = [&](const store::StreamRecord& record) { return record.name == name; };
    if (std::none_of(records.begin(), records.end(), is_it)) return store::Errc::not_found;
  }
  auto record = services_.store.open_stream(name);
  if (!record) return record.error();
  // Media time starts at 10 s: nothing a source sends can fall before zero.
  if (record->epoch_us == 0) record->epoch_us = services_.clock.now_us() - 10'000'000;

  const auto settings = settings_(name);
  std::int64_t from_us = 0;
  const auto duration = settings->values.replay_duration;
  if (duration.count() > 0) {
    from_us = services_.clock.now_us() - std::chrono::microseconds(duration).count();
  }
  auto window = load_listed(services_.store, *record, from_us);
  if (!window) return window.error();
  auto stream = std::make_shared<LiveStream>(services_, publisher ? *publisher : home(name), *record,
                                             settings, *window);
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return Errc::shutting_down;
    streams_.emplace(name, stream);
  }
  asio::post(stream->executor(), [stream] { stream->start(); });
  return stream;
}

asio::any_io_executor Registry::home(const std::string& name) const {
  return contexts_[std::hash<std::string>{}(name) % contexts_.size()]->get_executor();
}

void Registry::tick() {
  services_.clock.discipline();
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    for (const auto& [name, stream] : streams_) {
      asio::post(stream->executor(), [this, stream = stream] {
        if (stream->tick()) retire(stream);
      });
    }
  }
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
}

/// Nothing is left of a stream and nobody publishes it: viewers get 404, its memory is freed.
void Registry::retire(const StreamPtr& stream) {
  spdlog::info("{}: everything has left its replay window; unloaded", stream->name());
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream->name());
  if (found == streams_.end() || found->second != stream) return;  // deleted meanwhile
  services_.hub.remove(stream->name());
  streams_.erase(found);
}

}  // namespace lookback::server
