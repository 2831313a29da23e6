// LiveStream's publishers: who is on the air and how it does, who stands by, and the change from one to the
// other.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "server/live/live_stream.hpp"

namespace lookback::server {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Beyond what is needed to reach the last media of a publisher that has been silent for the take-over time.
constexpr std::int64_t spare_reach_us = 1'000'000;
/// A stream whose media is further ahead of the clock than this goes on with the next sync sample: each
/// take-over goes back to the newest one, and would put it ahead by up to a GOP more.
constexpr std::int64_t most_ahead_us = 250'000;

std::string_view role(const PublishRequest& request) { return request.backup ? "backup" : "primary"; }

milliseconds since(Clock::time_point then) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - then);
}

}  // namespace

boost::system::error_code LiveStream::refusal(bool backup) const {
  const std::lock_guard lock(status_mutex_);
  if (status_.state != StreamStatus::State::publishing) return {};
  const auto takeover = status_.settings->values.takeover;
  if (status_.publisher_is_backup == backup) {
    if (since(last_events_) >= takeover) return {};
  } else if (!status_.standby || since(standby_events_) >= takeover) {
    return {};
  }
  return backup ? Errc::already_backed_up : Errc::already_publishing;
}

Result<std::shared_ptr<LivePublication>> LiveStream::admit(PublishRequest request,
                                                           boost::asio::any_io_executor executor,
                                                           std::function<void()> on_end,
                                                           std::size_t max_queue_bytes) {
  if (stopped_) return Errc::shutting_down;
  if (const auto refused = refusal(request.backup)) return refused;
  const bool beside = publication_ && publication_->request().backup != request.backup;
  auto admitted = std::make_shared<LivePublication>(shared_from_this(), std::move(request),
                                                    std::move(executor), std::move(on_end), max_queue_bytes);
  if (beside) {
    stand_by(admitted);
    return admitted;
  }
  if (const auto silent = publication_) {
    constexpr auto why = "another publisher took over after this one was silent";
    finish_session(why);
    silent->end(why);
  }
  begin_session(admitted);
  return admitted;
}

/// Puts a publisher on the air.
void LiveStream::begin_session(std::shared_ptr<LivePublication> publication) {
  grace_.cancel();
  publication_ = std::move(publication);
  last_events_ = Clock::now();
  health_.emplace(services_.clock.now_us(), services_.health);
  unaligned_before_ = packager_.counters().unaligned_starts;
  const auto& request = publication_->request();
  const bool fresh_run = !std::exchange(in_run_, true);
  tell([&, now_us = services_.clock.now_us()](StreamStatus& status) {
    status.state = StreamStatus::State::publishing;
    if (fresh_run) ++status.run;
    if (fresh_run) status.run_started_us = now_us;
    status.session_started_us = now_us;
    status.peer = request.peer;
    status.protocol = request.protocol;
    status.encoder = request.encoder;
    status.publisher_is_backup = request.backup;
    status.link = std::nullopt;
    status.health = std::nullopt;
  });
  spdlog::info("{}: publishing by {} from {} ({}, {})", name_, request.protocol, request.peer,
               request.encoder.empty() ? "unnamed encoder" : request.encoder, role(request));
}

/// In the place of one that has been silent, if there is one.
void LiveStream::stand_by(std::shared_ptr<LivePublication> publication) {
  end_standby("another publisher took its place after this one was silent");
  const auto& request = publication->request();
  standby_events_ = Clock::now();
  tell([&, now_us = services_.clock.now_us()](StreamStatus& status) {
    status.standby = StandbyStatus{request.peer, request.protocol, request.encoder, now_us, std::nullopt};
  });
  spdlog::info("{}: the {} publisher {} stands by ({}, {})", name_, role(request), request.peer,
               request.protocol, request.encoder.empty() ? "unnamed encoder" : request.encoder);
  auto announced = publication->announced_;
  standby_.emplace(Standby{std::move(publication), {services_.max_standby_bytes, std::move(announced)}});
}

void LiveStream::end_standby(const std::string& why) {
  if (!standby_) return;
  const auto publication = std::exchange(standby_, std::nullopt)->publication;
  publication->end(why);
  tell([](StreamStatus& status) { status.standby = std::nullopt; });
  spdlog::info("{}: the {} publisher {} no longer stands by: {}", name_, role(publication->request()),
               publication->request().peer, why);
}

/// What stands by shows with every batch of it that it lives, and notices when the one on the air does not:
/// no timer is needed, and nobody takes over who has nothing to send.
void LiveStream::hold(std::vector<IngestEvent> events) {
  standby_events_ = Clock::now();
  for (const auto& event : events) standby_->publication->announced_.take(event);
  const auto takeover = settings_->values.takeover;
  const auto reach_us = std::chrono::microseconds(takeover).count() + spare_reach_us;
  standby_->buffer.take(std::move(events), services_.clock.now_us(), reach_us);
  if (since(last_events_) >= takeover) fail_over();
}

/// The one on the air is silent: the two change places. It may come to life again, and then stands by.
void LiveStream::fail_over() {
  const auto silent = publication_;
  const auto last_events = last_events_.load();
  const auto why = "nothing came from it for " + std::to_string(since(last_events_).count()) + " ms";
  finish_session(why);
  promote(why);
  if (!publication_) return silent->end(why);  // what took over could not be packaged
  stand_by(silent);
  standby_events_ = last_events;
}

/// The stream goes on where it ended, with what the one that stands by has sent since the newest sync sample
/// before: a viewer sees up to a GOP again, and the archive misses nothing.
void LiveStream::promote(const std::string& why) {
  auto [publication, buffer] = *std::exchange(standby_, std::nullopt);
  tell([&, now_us = services_.clock.now_us()](StreamStatus& status) {
    if (!status.failover) status.failover.emplace();
    ++status.failover->count;
    status.failover->last_us = now_us;
    status.failover->reason = why;
    status.standby = std::nullopt;
  });
  spdlog::warn("{}: the {} publisher {} takes over", name_, role(publication->request()),
               publication->request().peer);
  begin_session(std::move(publication));
  const auto now_us = services_.clock.now_us();
  const auto end_us = packager_.record().epoch_us + packager_.record().end_us;
  auto held = end_us - now_us > most_ahead_us ? buffer.release_announced(now_us) : buffer.release(end_us);
  packager::Outputs outputs;
  for (auto& [event, arrival_us] : held) {
    if (const auto done = package(std::move(event), arrival_us, outputs); !done) {
      handle(std::move(outputs));
      end_session("cannot package what it sends: " + done.error().message());
      return;
    }
  }
  handle(std::move(outputs));
}

/// Tells what ails the publisher, and in the log what is new and what is over.
void LiveStream::look_at_health() {
  if (!publication_) return;
  const auto before = status();
  const auto now_us = services_.clock.now_us();
  health_->take_unaligned(packager_.counters().unaligned_starts - unaligned_before_, now_us);
  auto report = health_->assess(before.link, now_us);
  static const std::vector<Complaint> none;
  const auto& old = before.health ? before.health->complaints : none;
  const auto lacks = [](const std::vector<Complaint>& list, const Complaint& one) {
    return std::ranges::find(list, one.ailment, &Complaint::ailment) == list.end();
  };
  for (const auto& each : report.complaints) {
    if (lacks(old, each))
      spdlog::log(each.notice ? spdlog::level::info : spdlog::level::warn, "{}: {}", name_, each.text);
  }
  for (const auto& each : old) {
    if (lacks(report.complaints, each)) spdlog::info("{}: no longer: {}", name_, each.text);
  }
  tell([&](StreamStatus& status) { status.health = std::move(report); });
}

}  // namespace lookback::server
