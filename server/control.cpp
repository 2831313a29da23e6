#include "server/control.hpp"

#include <boost/asio/post.hpp>

namespace lookback::server {

namespace asio = boost::asio;

Control::Control(Options options, SecretHash generated, store::Store& store, Registry& registry,
                 Overrides& overrides, WallClock& clock, asio::thread_pool& blocking, asio::io_context& main)
    : options_(std::move(options)),
      store_(store),
      registry_(registry),
      blocking_(blocking),
      timer_(main),
      access_(options_.tokens, generated),
      recordings_(options_.recordings, store,
                  {[&registry] { return registry.statuses(); }, [&registry] { return registry.ready(); },
                   [&clock] { return clock.now_us(); }}),
      facts_(store),
      api_({store, registry, recordings_, facts_, overrides, options_.configured, [this] { return reload(); },
            [&clock] { return clock.now_us(); }, options_.max_interval, options_.picture_counts,
            options_.pulls}) {}

void Control::start() { tick(); }

/// A look that takes longer than a second is not followed by another before it is over.
void Control::tick() {
  if (!looking_.exchange(true)) {
    asio::post(blocking_, [this] {
      recordings_.tick();
      looking_ = false;
    });
  }
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
}

std::vector<archive::RecordedRange> Control::recorded_ranges(const std::string& stream) const {
  std::vector<archive::RecordedRange> out;
  const auto record = store_.find_stream(stream);
  if (!record) return out;
  for (const auto& recording : recordings_.of_stream(record->id)) {
    archive::RecordedRange range;
    range.id = recording.record.id;
    range.name = recording.record.name;
    range.start_us = recording.record.start_us;
    if (recording.record.end_us != INT64_MAX) range.end_us = recording.record.end_us;
    range.state = name_of(recording.state);
    out.push_back(std::move(range));
  }
  return out;
}

bool Control::reload() {
  const std::lock_guard lock(reload_mutex_);
  if (!options_.reload || !options_.reload()) return false;
  registry_.apply_settings();
  return true;
}

}  // namespace lookback::server
