#include "server/live/live_stream.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <limits>
#include <utility>

namespace lookback::server {

namespace {

constexpr auto expiry_interval = std::chrono::seconds(30);
/// Media that left the list stay on disk at least this long (rfc8216bis 6.2.2).
constexpr std::int64_t expiry_margin_us = 60'000'000;

packager::PackagerSettings cut_settings(const StreamSettings& settings, std::size_t max_tracks) {
  packager::PackagerSettings cut;
  cut.segment_us = settings.segment_us;
  cut.part_us = settings.part_us;
  cut.max_segment_us = std::chrono::microseconds(settings.max_segment).count();
  cut.max_tracks = max_tracks;
  return cut;
}

}  // namespace

LiveStream::LiveStream(LiveServices services, boost::asio::any_io_executor executor,
                       store::StreamRecord record, EffectiveSettingsPtr settings, const store::Window& window)
    : services_(services),
      executor_(std::move(executor)),
      name_(record.name),
      id_(record.id),
      settings_(std::move(settings)),
      packager_(cut_settings(settings_->values, services_.max_tracks), record, window, restored_),
      grace_(executor_),
      pending_(services_.store.options().max_write_delay),
      store_watch_(executor_),
      stored_(std::move(record)) {
  status_.name = name_;
  status_.id = id_;
  status_.generation = stored_.generation;
  status_.settings = settings_;
  for (const auto& stored : window.tracks) {
    const auto kind =
        stored.track.name.starts_with('v') ? packager::MediaKind::video : packager::MediaKind::audio;
    add_track({stored.track, kind});
    for (const auto& init : stored.inits) add_init(init, std::nullopt);
    track(stored.track.id).builder->load(stored.segments);
    track(stored.track.id).changed = true;
  }
}

// --- life ---------------------------------------------------------------------------------------

void LiveStream::start() {
  handle(std::exchange(restored_, {}));
  const auto end_us = packager_.record().epoch_us + packager_.record().end_us;
  const auto silent = std::chrono::microseconds(std::max<std::int64_t>(0, services_.clock.now_us() - end_us));
  const auto grace = settings_->values.grace;
  if (on_air_) return;
  if (silent < grace) {
    in_run_ = true;
    start_grace(std::chrono::duration_cast<std::chrono::milliseconds>(grace - silent));
  } else {
    set_ended(true);
  }
  publish();
}

void LiveStream::take(const std::shared_ptr<LivePublication>& publication, std::vector<IngestEvent> events) {
  const auto group = group_of(*publication);
  if (!group) return;
  publication->last_events_ = std::chrono::steady_clock::now();
  const auto now_us = services_.clock.now_us();
  auto mixed = group->mixer.take(publication->request().rendition, std::move(events), now_us);
  if (group != on_air_) return hold(std::move(mixed));
  if (const auto done = package_all(std::move(mixed), now_us); !done) {
    const auto why = "cannot package what it sends: " + done.error().message();
    return group->members.size() > 1 ? drop(group, publication, why) : end_session(why);
  }
  for (const auto& note : packager_.take_notes()) spdlog::warn("{}: {}", name_, note);
}

Result<void> LiveStream::package_all(std::vector<IngestEvent> events, std::int64_t now_us) {
  packager::Outputs outputs;
  Result<void> done;
  for (auto& event : events) {
    done = package(std::move(event), now_us, outputs);
    if (!done) break;
  }
  handle(std::move(outputs));
  return done;
}

Result<void> LiveStream::package(IngestEvent event, std::int64_t now_us, packager::Outputs& outputs) {
  if (const auto* sample = std::get_if<packager::SourceSample>(&event)) {
    health_->take(*sample, now_us);
    return packager_.push(*sample, now_us, outputs);
  }
  if (auto* cue = std::get_if<packager::SourceCue>(&event)) {
    packager_.push(std::move(*cue));
    return {};
  }
  on_air_->announced.take(event);
  if (const auto* change = std::get_if<FormatChange>(&event))
    return packager_.set_format({change->format.kind, change->number}, change->format, now_us, outputs);
  auto& list = std::get<TrackList>(event);
  packager_.set_tracks(std::move(list.tracks), outputs, list.may_grow);
  return {};
}

void LiveStream::start_grace(std::chrono::milliseconds left) {
  grace_.expires_after(left);
  grace_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error || self->on_air_ || self->stopped_) return;
    spdlog::info("{}: no publisher came back within the grace time; the playlists end", self->name_);
    self->set_ended(true);
    self->publish();
  });
}

void LiveStream::set_ended(bool ended) {
  ended_ = ended;
  if (ended) {
    in_run_ = false;
    tell([](StreamStatus& status) { status.state = StreamStatus::State::ended; });
  }
  for (auto& track : tracks_) {
    track.builder->set_ended(ended);
    track.changed = true;
  }
}

void LiveStream::apply(EffectiveSettingsPtr settings) {
  settings_ = std::move(settings);
  for (auto& track : tracks_) track.builder->set_window(window_us());
  tell([&](StreamStatus& status) { status.settings = settings_; });
}

StreamStatus LiveStream::status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

void LiveStream::stop() {
  stopped_ = true;
  grace_.cancel();
  end_standby("the server is shutting down");
  end_session("the server is shutting down");
  if (pending_.empty()) store_watch_.cancel();
}

// --- from the packager to the store and back ------------------------------------------------------

void LiveStream::handle(packager::Outputs outputs) {
  for (auto& output : outputs) {
    if (auto* record = std::get_if<store::StreamRecord>(&output)) {
      stored_ = *record;
      services_.store.put_stream(*record);
    } else if (auto* track = std::get_if<packager::NewTrack>(&output)) {
      services_.store.put_track(stored_.id, track->record);
      add_track(*track);
    } else if (auto* init = std::get_if<packager::NewInit>(&output)) {
      services_.store.put_init(stored_.id, init->record);
      add_init(init->record, init->format);
    } else {
      append(std::move(std::get<store::Append>(output)));
    }
  }
}

void LiveStream::append(store::Append append) {
  const auto id =
      pending_.add({append.track, append.segment, append.bytes}, std::chrono::steady_clock::now());
  services_.store.append(
      std::move(append), [self = shared_from_this(), id](Result<store::SegmentRecord> result) {
        boost::asio::post(self->executor_,
                          [self, id, result = std::move(result)] { self->answered(id, result); });
      });
  if (store_stalled_) list_pending();
  watch_store();
}

/// The writer is done with an append, or could not keep it: then the part is served from memory only.
void LiveStream::answered(std::uint64_t id, const Result<store::SegmentRecord>& result) {
  if (result) {
    if (std::exchange(store_failing_, false)) {
      spdlog::info("{}: the store takes media again", name_);
      tell([](StreamStatus& status) { status.store_error = {}; });
    }
  } else if (!std::exchange(store_failing_, true)) {
    const auto& part = pending_.part(id);
    spdlog::error("{}: segment {} of {} is not stored: {}; live goes on from memory", name_, part.record.msn,
                  track(part.track).record.name, result.error().message());
    tell([&](StreamStatus& status) { status.store_error = result.error(); });
  }
  if (const auto late = pending_.answer(id, result)) {
    track(late->track).builder->place(late->record);
    track(late->track).changed = true;
    schedule_publish();
  }
  list_pending();
  if (stopped_ && pending_.empty()) store_watch_.cancel();
}

/// Lists what is stored, or what may not wait any longer.
void LiveStream::list_pending() {
  const auto now = std::chrono::steady_clock::now();
  const bool stalled = pending_.is_stalled(now);
  auto parts = pending_.take(now);
  for (auto& part : parts) {
    if (ended_) set_ended(false);
    auto& changed = track(part.track);
    changed.builder->add(part.record, std::move(part.bytes));
    changed.changed = true;
  }
  if (!parts.empty()) schedule_publish();
  if (std::exchange(store_stalled_, stalled) == stalled) return;
  if (stalled) {
    spdlog::warn(
        "{}: the disk does not take media: live goes on from memory, and a crash now loses what is listed",
        name_);
  } else {
    spdlog::info("{}: the disk takes media again; so far {} parts were listed before they were stored", name_,
                 pending_.listed_unstored());
  }
}

/// One timer for all that waits: it looks again when the oldest of that moment would be overdue.
void LiveStream::watch_store() {
  const auto due = pending_.due();
  if (!due || watching_store_) return;
  watching_store_ = true;
  const auto soonest = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  store_watch_.expires_at(std::max(*due, soonest));
  store_watch_.async_wait([self = shared_from_this()](boost::system::error_code) {
    self->watching_store_ = false;
    self->list_pending();
    self->watch_store();
  });
}

// --- from the renditions to the viewers -----------------------------------------------------------

/// Parts that became ready together are published together.
void LiveStream::schedule_publish() {
  if (std::exchange(publish_scheduled_, true)) return;
  boost::asio::post(executor_, [self = shared_from_this()] {
    self->publish_scheduled_ = false;
    self->publish();
  });
}

void LiveStream::publish() {
  std::vector<packager::hls::Report> reports;
  for (const auto& track : tracks_) {
    if (const auto last = track.builder->last_part()) reports.push_back({track.record.name, *last});
  }
  std::vector<packager::hls::PresentationTrack> presented;
  for (auto& track : tracks_) {
    if (packager_.open_gop(track.record.id)) track.builder->set_open_gop();
    if (std::exchange(track.changed, false) || !track.rendition) {
      auto others = reports;
      std::erase_if(others, [&](const auto& report) { return report.track == track.record.name; });
      track.rendition = track.builder->snapshot(std::move(others));
    }
    // A playlist without a complete segment is not shown: players take an empty one for an error.
    if (!track.rendition->last_msn() || !track.format) continue;
    presented.push_back({track.format,
                         track.rendition,
                         track.inits,
                         track.builder->bit_rates(),
                         track.builder->independent(),
                         {packager_.measured_millihertz(track.record.id), 1'000},
                         track.builder->iframe_rates(),
                         track.formats,
                         packager_.brings(track.record.id)});
  }
  if (presented.empty() || (!shown_ && awaits_tracks())) return;
  shown_ = true;
  auto presentation = packager::hls::make_presentation(packager_.record().generation, std::move(presented));
  tell([&](StreamStatus& status) { status.presentation = presentation; });
  services_.hub.publish(name_, std::move(presentation));
}

/// Players read the multivariant playlist once: the first one names all that the session brings. A track that
/// stays silent gets a gap soon; one that has joined and sends nothing is not waited for beyond a second
/// segment of the others.
bool LiveStream::awaits_tracks() const {
  if (!on_air_) return false;
  const auto is_awaited = [&](const Track& each) {
    return packager_.brings(each.record.id) && (!each.rendition || !each.rendition->last_msn());
  };
  const auto has_two_segments = [](const Track& each) {
    return each.rendition && each.rendition->last_msn() > each.rendition->first_msn();
  };
  return std::ranges::any_of(tracks_, is_awaited) && std::ranges::none_of(tracks_, has_two_segments);
}

void LiveStream::add_track(const packager::NewTrack& fresh) {
  packager::hls::RenditionBuilder::Options options;
  const auto& record = packager_.record();
  options.timing = {record.target_duration_s, record.part_target_us};
  options.generation = record.generation;
  options.track = fresh.record.name;
  options.kind = fresh.kind;
  options.timescale = fresh.record.timescale;
  options.window_us = window_us();
  options.media_prefix = "/" + name_ + "/";
  Track track;
  track.record = fresh.record;
  track.builder = std::make_unique<packager::hls::RenditionBuilder>(std::move(options));
  tracks_.push_back(std::move(track));
}

void LiveStream::add_init(const store::InitRecord& init, std::optional<packager::TrackFormat> format) {
  auto& of = track(init.track);
  if (!format) {
    auto read = packager::deserialize_format(init.format);
    if (!read) {
      spdlog::error("{}: init {} of {} cannot be read: {}", name_, init.id, of.record.name,
                    read.error().message());
      return;
    }
    format = std::move(*read);
  }
  auto inits = std::make_shared<packager::hls::Inits>(*of.inits);
  inits->insert_or_assign(init.id, make_slice(init.bytes));
  const auto shared = std::make_shared<const packager::TrackFormat>(std::move(*format));
  auto formats = std::make_shared<packager::hls::Formats>(*of.formats);
  formats->insert_or_assign(init.id, shared);
  of.formats = std::move(formats);
  if (inits->rbegin()->first == init.id) of.format = shared;
  tell([&](StreamStatus& status) { status.formats[of.record.name] = of.format; });
  of.inits = std::move(inits);
}

void LiveStream::lose(store::TrackId id, std::uint64_t msn) {
  const auto lost = [&](Track& each) { return each.record.id == id && each.builder->lose(msn); };
  const auto found = std::find_if(tracks_.begin(), tracks_.end(), lost);
  if (found == tracks_.end()) return;
  found->changed = true;
  schedule_publish();
}

LiveStream::Track& LiveStream::track(store::TrackId id) {
  return *std::find_if(tracks_.begin(), tracks_.end(), [&](const Track& t) { return t.record.id == id; });
}

// --- the window ---------------------------------------------------------------------------------

std::int64_t LiveStream::window_us() const {
  if (!settings_->values.replay_enabled) return 0;
  const auto duration = settings_->values.replay_duration;
  if (duration.count() == 0) return std::numeric_limits<std::int64_t>::max();
  return std::chrono::microseconds(duration).count();
}

bool LiveStream::tick() {
  look_at_health();
  const auto window = window_us();
  if (window == std::numeric_limits<std::int64_t>::max()) return false;
  const auto& record = packager_.record();
  const auto edge_us = record.epoch_us + record.end_us;
  const auto now_us = services_.clock.now_us();
  // While media comes its own dates count: a source that is ahead or behind loses nothing.
  const auto cutoff_us = (on_air_ ? std::min(edge_us, now_us) : now_us) - window;
  std::int64_t first_us = cutoff_us;
  for (auto& track : tracks_) {
    const auto before = track.builder->first_pdt_us();
    track.builder->trim(cutoff_us);
    const auto first = track.builder->first_pdt_us();
    if (first != before) track.changed = true;
    if (first) first_us = std::min(first_us, *first);
  }
  if (std::any_of(tracks_.begin(), tracks_.end(), [](const Track& t) { return t.changed; }))
    schedule_publish();

  const bool forgotten = !on_air_ && ended_ && pending_.empty() && edge_us + expiry_margin_us < cutoff_us;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_expiry_ >= expiry_interval || forgotten) {
    last_expiry_ = now;
    if (!(stored_ == record))
      services_.store.put_stream(stored_ = record);  // the floors outlive the segments
    services_.store.expire(record.id, (forgotten ? cutoff_us : first_us) - expiry_margin_us);
  }
  return forgotten;
}

}  // namespace lookback::server
