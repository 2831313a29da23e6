// LiveStream's publishers: who is on the air and how it does, who stands by, and the change from one to the
// other.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "server/live/live_stream.hpp"

namespace lookback::server {

namespace {

/// Beyond what is needed to reach the last media of a publisher that has been silent for the take-over time.
constexpr std::int64_t spare_reach_us = 1'000'000;
/// A stream whose media is further ahead of the clock than this goes on with the next sync sample: each
/// take-over goes back to the newest one, and would put it ahead by up to a GOP more.
constexpr std::int64_t most_ahead_us = 250'000;

std::string_view role(const PublisherGroup& group) { return group.backup ? "backup" : "primary"; }

std::string_view encoder(const PublishRequest& request) {
  return request.encoder.empty() ? std::string_view("unnamed encoder") : request.encoder;
}

FeedStatus describe(const PublishRequest& request, std::int64_t since_us, std::optional<LinkStats> link,
                    const FeedMixer& mixer) {
  return {.rendition = request.rendition,
          .peer = request.peer,
          .protocol = request.protocol,
          .encoder = request.encoder,
          .since_us = since_us,
          .link = std::move(link),
          .shift_us = mixer.shift_us(request.rendition),
          .by_arrival = mixer.is_by_arrival(request.rendition)};
}

}  // namespace

PublisherGroupPtr LiveStream::group_of(const LivePublication& publication) const {
  if (on_air_ && on_air_->has(publication)) return on_air_;
  if (standby_ && standby_->group->has(publication)) return standby_->group;
  return nullptr;
}

boost::system::error_code LiveStream::refusal(const PublishRequest& request) const {
  const std::lock_guard lock(status_mutex_);
  const auto is_its = [&](const PublisherGroupPtr& group) {
    return group && group->backup == request.backup;
  };
  PublisherGroupPtr group;
  if (is_its(on_air_)) group = on_air_;
  if (standby_ && is_its(standby_->group)) group = standby_->group;
  const auto takeover = status_.settings->values.takeover;
  if (!group || group->silence() >= takeover) return {};
  if (const auto member = group->member(request.rendition)) {
    if (member->silence() >= takeover) return {};
    return request.backup ? Errc::already_backed_up : Errc::already_publishing;
  }
  if (group->members.size() >= services_.max_feeds) return Errc::too_many_connections;
  return {};
}

Result<std::shared_ptr<LivePublication>> LiveStream::admit(PublishRequest request,
                                                           boost::asio::any_io_executor executor,
                                                           std::function<void()> on_end,
                                                           std::size_t max_queue_bytes) {
  constexpr auto why = "another publisher took over after this one was silent";
  if (stopped_) return Errc::shutting_down;
  if (const auto refused = refusal(request)) return refused;
  const auto now_us = services_.clock.now_us();
  auto admitted =
      std::make_shared<LivePublication>(shared_from_this(), std::move(request), std::move(executor),
                                        std::move(on_end), max_queue_bytes, now_us);
  const bool beside = on_air_ && on_air_->backup != admitted->request().backup;
  const auto group = !beside ? on_air_ : standby_ ? standby_->group : nullptr;
  if (group && group->silence() < settings_->values.takeover) {
    join(group, admitted);
    return admitted;
  }
  auto fresh = std::make_shared<PublisherGroup>();
  fresh->backup = admitted->request().backup;
  fresh->members.push_back(admitted);
  fresh->mixer.add(admitted->request().rendition);
  if (beside) {
    stand_by(std::move(fresh));
    return admitted;
  }
  if (group) {
    finish_session(why);
    for (const auto& silent : group->members) silent->end(why);
  }
  begin_session(std::move(fresh));
  return admitted;
}

/// Puts a publisher on the air.
void LiveStream::begin_session(PublisherGroupPtr group) {
  grace_.cancel();
  health_.emplace(services_.clock.now_us());
  const bool fresh_run = !std::exchange(in_run_, true);
  tell([&, now_us = services_.clock.now_us()](StreamStatus& status) {
    on_air_ = std::move(group);
    status.state = StreamStatus::State::publishing;
    if (fresh_run) ++status.run;
    if (fresh_run) status.run_started_us = now_us;
    status.session_started_us = now_us;
    status.publisher_is_backup = on_air_->backup;
    status.health = std::nullopt;
  });
  tell_publishers();
  for (const auto& member : on_air_->members) {
    const auto& request = member->request();
    spdlog::info("{}: publishing by {} from {} ({}, {}{}{})", name_, request.protocol, request.peer,
                 encoder(request), role(*on_air_), request.rendition.empty() ? "" : ", rendition ",
                 request.rendition);
  }
}

/// In the place of one that has been silent, if there is one.
void LiveStream::stand_by(PublisherGroupPtr group) {
  end_standby("another publisher took its place after this one was silent");
  for (const auto& member : group->members) {
    spdlog::info("{}: the {} publisher {} stands by ({}, {})", name_, role(*group), member->request().peer,
                 member->request().protocol, encoder(member->request()));
  }
  tell([&, now_us = services_.clock.now_us()](StreamStatus& status) {
    status.standby.emplace().since_us = now_us;
    auto announced = group->announced;
    standby_.emplace(Standby{std::move(group), {services_.max_standby_bytes, std::move(announced)}});
  });
  tell_publishers();
}

void LiveStream::end_standby(const std::string& why) {
  if (!standby_) return;
  PublisherGroupPtr group;
  tell([&](StreamStatus& status) {
    group = std::exchange(standby_, std::nullopt)->group;
    status.standby = std::nullopt;
  });
  for (const auto& member : group->members) {
    member->end(why);
    spdlog::info("{}: the {} publisher {} no longer stands by: {}", name_, role(*group),
                 member->request().peer, why);
  }
}

/// Another connection of a publisher that is here, perhaps in the place of one that has been silent.
void LiveStream::join(const PublisherGroupPtr& group, const std::shared_ptr<LivePublication>& publication) {
  const auto& request = publication->request();
  // It comes before the other goes: a publisher without a connection would end.
  const auto silent = group->member(request.rendition);
  tell([&](StreamStatus&) { group->members.push_back(publication); });
  if (silent) drop(group, silent, "another publisher of this rendition took over after this one was silent");
  group->mixer.add(request.rendition);
  tell_publishers();
  spdlog::info("{}: {} by {} from {} ({}) joins the {} publisher", name_,
               request.rendition.empty() ? "the plain name" : "rendition " + request.rendition,
               request.protocol, request.peer, encoder(request), role(*group));
}

/// One of several connections goes; what it brought becomes gaps, or goes on in what another one brings.
void LiveStream::drop(const PublisherGroupPtr& group, const std::shared_ptr<LivePublication>& publication,
                      const std::string& why) {
  const auto& request = publication->request();
  auto events = group->mixer.remove(request.rendition);
  tell([&](StreamStatus&) { std::erase(group->members, publication); });
  publication->end(why);
  tell_publishers();
  spdlog::info("{}: {} from {} is off, and {} more go on: {}", name_,
               request.rendition.empty() ? "the plain name" : "rendition " + request.rendition, request.peer,
               group->members.size(), why);
  if (group != on_air_) return hold(std::move(events));
  if (const auto done = package_all(std::move(events), services_.clock.now_us()); !done)
    end_session("cannot package what it sends: " + done.error().message());
}

/// What stands by shows with every batch of it that it lives, and notices when the one on the air does not:
/// no timer is needed, and nobody takes over who has nothing to send.
void LiveStream::hold(std::vector<IngestEvent> events) {
  for (const auto& event : events) standby_->group->announced.take(event);
  const auto takeover = settings_->values.takeover;
  const auto reach_us = std::chrono::microseconds(takeover).count() + spare_reach_us;
  standby_->buffer.take(std::move(events), services_.clock.now_us(), reach_us);
  if (on_air_->silence() >= takeover) fail_over();
}

/// The one on the air is silent: the two change places. It may come to life again, and then stands by.
void LiveStream::fail_over() {
  auto silent = on_air_;
  const auto why = "nothing came from it for " + std::to_string(silent->silence().count()) + " ms";
  finish_session(why);
  promote(why);
  if (on_air_) return stand_by(std::move(silent));
  for (const auto& member : silent->members) member->end(why);  // what took over could not be packaged
}

/// The stream goes on where it ended, with what the one that stands by has sent since the newest sync sample
/// before: a viewer sees up to a GOP again, and the archive misses nothing.
void LiveStream::promote(const std::string& why) {
  std::optional<Standby> standby;
  tell([&, now_us = services_.clock.now_us()](StreamStatus& status) {
    standby.emplace(std::move(*standby_));
    standby_.reset();
    if (!status.failover) status.failover.emplace();
    ++status.failover->count;
    status.failover->last_us = now_us;
    status.failover->reason = why;
    status.standby = std::nullopt;
  });
  spdlog::warn("{}: the {} publisher {} takes over", name_, role(*standby->group),
               standby->group->members.front()->request().peer);
  begin_session(std::move(standby->group));
  auto& buffer = standby->buffer;
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

/// What others may know of the connections.
void LiveStream::tell_publishers() {
  const auto feeds_of = [](const PublisherGroup& group) {
    std::vector<FeedStatus> feeds;
    for (const auto& member : group.members)
      feeds.push_back(describe(member->request(), member->since_us_, member->link_, group.mixer));
    return feeds;
  };
  const auto copy_first = [](auto& to) {
    const auto& first = to.feeds.front();
    to.peer = first.peer;
    to.protocol = first.protocol;
    to.encoder = first.encoder;
    to.link = first.link;
  };
  tell([&](StreamStatus& status) {
    if (on_air_) {
      status.feeds = feeds_of(*on_air_);
      copy_first(status);
    }
    if (!standby_) return;
    status.standby->feeds = feeds_of(*standby_->group);
    copy_first(*status.standby);
  });
}

// --- the end of a connection, and of a session ---------------------------------------------------

void LiveStream::leave(const std::shared_ptr<LivePublication>& publication, const std::string& why) {
  const auto group = group_of(*publication);
  if (!group) return;
  if (group->members.size() > 1) return drop(group, publication, why);
  return group == on_air_ ? end_session(why) : end_standby(why);
}

void LiveStream::end_session(const std::string& why) {
  if (!on_air_) return;
  for (const auto& member : on_air_->members) member->end(why);
  finish_session(why);
  if (stopped_) return;
  if (standby_) return promote(why);
  spdlog::info("{}: waiting {} ms for a publisher", name_, settings_->values.grace.count());
  start_grace(settings_->values.grace);
}

/// All that is held is cut and given out. Who was on the air is told nothing yet.
void LiveStream::finish_session(const std::string& why) {
  PublisherGroupPtr group;
  tell([&](StreamStatus& status) {
    group = std::exchange(on_air_, nullptr);
    status.state = StreamStatus::State::waiting;
  });
  packager::Outputs outputs;
  if (const auto ended = packager_.end_session(outputs); !ended) {
    spdlog::error("{}: the end of the session was lost: {}", name_, ended.error().message());
  }
  handle(std::move(outputs));
  const auto counters = packager_.counters();
  for (const auto& member : group->members) {
    spdlog::info("{}: publisher {} is off: {} (so far {} breaks, {} forced cuts, {} dropped samples)", name_,
                 member->request().peer, why, packager_.breaks(), counters.forced_cuts,
                 counters.dropped_samples);
  }
}

/// Tells what ails the publisher, and in the log what is new and what is over.
void LiveStream::look_at_health() {
  if (!on_air_) return;
  tell_publishers();
  const auto before = status();
  auto report = health_->assess(before.link, services_.clock.now_us());
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
