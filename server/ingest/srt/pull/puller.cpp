#include "server/ingest/srt/pull/puller.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <srt/srt.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "server/ingest/peer.hpp"
#include "server/ingest/srt/reject.hpp"

namespace lookback::server::srt {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;
using State = PullStatus::State;

std::string_view name_of(State state) {
  switch (state) {
    case State::waiting:
      return "waiting";
    case State::resolving:
      return "resolving";
    case State::calling:
      return "calling";
    case State::connected:
      return "connected";
  }
  return "waiting";
}

/// One target and where it stands.
struct Puller::Pull {
  Pull(PullTarget to, Clock::time_point now) : target(std::move(to)), next_try(now) {
    status.stream = target.stream;
    status.address = target.address();
  }
  void tell(State now, std::optional<std::string> reason = std::nullopt) {
    const std::lock_guard lock(mutex);
    status.state = now;
    status.failures = failures;
    status.next_try = next_try;
    if (reason) status.reason = std::move(*reason);
  }
  PullStatus copy() const {
    const std::lock_guard lock(mutex);
    return status;
  }

  const PullTarget target;
  State state = State::waiting;
  bool wanted = true;
  std::optional<Socket> call;  ///< until it is decided
  Socket::Id connection = SRT_INVALID_SOCK;
  udp::endpoint remote;
  std::uint64_t failures = 0;
  Clock::time_point next_try;
  mutable std::mutex mutex;  ///< guards status
  PullStatus status;
};

/// What the pool found out.
struct Puller::Inbox {
  struct Resolved {
    PullPtr pull;
    error_code error;
    std::vector<udp::endpoint> endpoints;
  };
  std::mutex mutex;
  std::vector<Resolved> resolved;
};

Puller::Puller(std::shared_ptr<Common> common, asio::thread_pool& blocking, int poll, OnConnected connected,
               Cut cut)
    : common_(std::move(common)),
      blocking_(blocking),
      poll_(poll),
      connected_(std::move(connected)),
      cut_(std::move(cut)),
      inbox_(std::make_shared<Inbox>()) {}

Puller::~Puller() = default;

// --- any thread -----------------------------------------------------------------------------------

void Puller::set(std::vector<PullTarget> targets) {
  const std::lock_guard lock(mutex_);
  wanted_ = std::move(targets);
}

std::vector<PullStatus> Puller::statuses() const {
  std::vector<PullStatus> out;
  const std::lock_guard lock(mutex_);
  for (const auto& pull : pulls_) {
    if (pull->wanted) out.push_back(pull->copy());
  }
  return out;
}

// --- the listener's thread ------------------------------------------------------------------------

void Puller::tick(Clock::time_point now) {
  take_wanted();
  take_resolved();
  for (const auto& pull : pulls_) {
    if (pull->wanted && pull->state == State::waiting && now >= pull->next_try && !resolving_) resolve(pull);
  }
}

void Puller::stop() {
  const std::lock_guard lock(mutex_);
  pulls_.clear();
  wanted_.reset();
}

void Puller::take_wanted() {
  std::optional<std::vector<PullTarget>> targets;
  {
    const std::lock_guard lock(mutex_);
    targets = std::exchange(wanted_, std::nullopt);
  }
  if (!targets) return;
  const auto now = Clock::now();
  std::vector<PullPtr> next;
  for (auto& target : *targets) {
    const auto same =
        std::ranges::find_if(pulls_, [&](const PullPtr& each) { return each->target == target; });
    if (same != pulls_.end()) {
      next.push_back(*same);
      continue;
    }
    spdlog::info("srt: {} is pulled from {}", target.stream, target.address());
    next.push_back(std::make_shared<Pull>(std::move(target), now));
  }
  for (const auto& pull : pulls_) {
    if (std::ranges::find(next, pull) != next.end()) continue;
    pull->wanted = false;
    pull->call.reset();
    constexpr auto why = "the configuration does not name it any more";
    spdlog::info("srt: {} is no longer pulled from {}: {}", pull->target.stream, pull->target.address(), why);
    if (pull->connection != SRT_INVALID_SOCK) cut_(pull->connection, why);
  }
  const std::lock_guard lock(mutex_);
  pulls_ = std::move(next);
}

/// An address needs no resolver.
void Puller::resolve(const PullPtr& pull) {
  const auto& target = pull->target;
  PublishRequest request{.stream = target.stream};
  request.configured = true;
  if (const auto terms = common_->guard.check(request); !terms) return fail(*pull, terms.error().message());
  error_code error;
  if (const auto address = asio::ip::make_address(target.host, error); !error) {
    pull->remote = {address, target.port};
    return call(*pull);
  }
  pull->state = State::resolving;
  pull->tell(State::resolving);
  resolving_ = true;
  asio::post(blocking_, [inbox = inbox_, pull] {
    asio::io_context context;
    udp::resolver resolver(context);
    Inbox::Resolved found{pull, {}, {}};
    const auto results = resolver.resolve(pull->target.host, std::to_string(pull->target.port), found.error);
    for (const auto& each : results) found.endpoints.push_back(each.endpoint());
    const std::lock_guard lock(inbox->mutex);
    inbox->resolved.push_back(std::move(found));
  });
}

void Puller::take_resolved() {
  std::vector<Inbox::Resolved> resolved;
  {
    const std::lock_guard lock(inbox_->mutex);
    resolved = std::exchange(inbox_->resolved, {});
  }
  for (auto& [pull, error, endpoints] : resolved) {
    resolving_ = false;
    if (!pull->wanted) continue;
    if (endpoints.empty()) {
      fail(*pull, fmt::format("its name cannot be resolved: {}", error.message()));
      continue;
    }
    // A remote with several addresses: each try takes the next one.
    pull->remote = endpoints[pull->failures % endpoints.size()];
    call(*pull);
  }
}

void Puller::call(Pull& pull) {
  auto socket = call_socket(pull.target, common_->options);
  if (!socket) return fail(pull, socket.error().message());
  const auto id = socket->id();
  const int events = SRT_EPOLL_IN | SRT_EPOLL_OUT | SRT_EPOLL_ERR;
  if (srt_epoll_add_usock(poll_, id, &events) == SRT_ERROR ||
      srt_connect(id, pull.remote.data(), static_cast<int>(pull.remote.size())) == SRT_ERROR) {
    return fail(pull, last_error().message());
  }
  pull.call.emplace(std::move(*socket));
  pull.state = State::calling;
  pull.tell(State::calling);
}

bool Puller::ready(Socket::Id id) {
  const auto is_it = [id](const PullPtr& each) { return each->call && each->call->id() == id; };
  const auto found = std::ranges::find_if(pulls_, is_it);
  if (found == pulls_.end()) return false;
  const auto pull = *found;
  const auto state = srt_getsockstate(id);
  if (state == SRTS_CONNECTED) {
    stand(*pull);
  } else if (state != SRTS_CONNECTING && state != SRTS_OPENED && state != SRTS_INIT) {
    const auto why = refusal_in_words(srt_getrejectreason(id));
    pull->call.reset();
    fail(*pull, why);
  }
  return true;
}

/// From here on it is a publisher's connection as any.
void Puller::stand(Pull& pull) {
  Socket socket = std::move(*pull.call);
  pull.call.reset();
  const auto id = socket.id();
  PublishRequest request{.stream = pull.target.stream};
  request.configured = true;
  request.protocol = "srt";
  request.peer = peer_name(plain_address(pull.remote.address()), pull.remote.port());
  request.encoder = peer_version(id);
  Guest guest{std::move(request), {}, Clock::now()};
  // The session knows better than the socket why it ended.
  const auto found = std::ranges::find_if(pulls_, [&](const PullPtr& each) { return each.get() == &pull; });
  guest.on_end = [pull = *found](const std::string& why) {
    const std::lock_guard lock(pull->mutex);
    pull->status.reason = why;
  };
  if (!connected_(std::move(socket), std::move(guest))) return fail(pull, last_error().message());
  pull.connection = id;
  pull.state = State::connected;
  pull.tell(State::connected, "");
  spdlog::info("srt: {} is connected to {}", pull.target.stream, pull.target.address());
}

void Puller::disconnected(Socket::Id id, bool had_bytes, const std::string& why) {
  const auto is_it = [id](const PullPtr& each) { return each->connection == id; };
  const auto found = std::ranges::find_if(pulls_, is_it);
  if (found == pulls_.end()) return;
  auto& pull = **found;
  pull.connection = SRT_INVALID_SOCK;
  if (had_bytes) pull.failures = 0;
  fail(pull, why);
}

/// The next try is after the back-off: twice as long with each failure, and a random half of it less, so that
/// many servers do not call at the same time.
void Puller::fail(Pull& pull, const std::string& why) {
  const auto& options = common_->options;
  auto delay = options.pull_retry_min;
  for (std::uint64_t i = 0; i < pull.failures && delay < options.pull_retry_max; ++i) delay *= 2;
  delay = std::min(delay, options.pull_retry_max);
  std::uniform_int_distribution<std::int64_t> jitter(delay.count() / 2, delay.count());
  delay = std::chrono::milliseconds(jitter(random_));
  ++pull.failures;
  pull.next_try = Clock::now() + delay;
  pull.state = State::waiting;
  const bool is_new = pull.copy().reason != why || pull.failures == 1;
  pull.tell(State::waiting, why);
  if (is_new) {
    common_->warn(fmt::format("{} is not pulled from {}: {}; the next try is in {} ms", pull.target.stream,
                              pull.target.address(), why, delay.count()));
  }
}

}  // namespace lookback::server::srt
