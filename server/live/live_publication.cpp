#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "server/live/live_stream.hpp"

namespace lookback::server {

namespace {

std::size_t weight(const std::vector<IngestEvent>& events) {
  std::size_t sum = 0;
  for (const auto& event : events) sum += server::weight(event);
  return sum;
}

}  // namespace

LivePublication::LivePublication(std::shared_ptr<LiveStream> stream, PublishRequest request,
                                 boost::asio::any_io_executor executor, std::function<void()> on_end,
                                 std::size_t max_queue_bytes, std::int64_t now_us)
    : stream_(std::move(stream)),
      request_(std::move(request)),
      executor_(std::move(executor)),
      on_end_(std::move(on_end)),
      max_queue_bytes_(max_queue_bytes),
      since_us_(now_us) {}

std::chrono::milliseconds LivePublication::silence() const {
  const auto since = std::chrono::steady_clock::now() - last_events_.load();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since);
}

bool LivePublication::push(std::vector<IngestEvent> events) {
  if (ended_) return false;
  const auto bytes = weight(events);
  if (queued_bytes_ + bytes > max_queue_bytes_) {
    close("the stream cannot keep up with its publisher (limits.ingest_queue)");
    return false;
  }
  queued_bytes_ += bytes;
  // On the stream's own thread this runs at once: the common case costs no queue and no wake-up.
  boost::asio::dispatch(stream_->executor(),
                        [self = shared_from_this(), events = std::move(events), bytes]() mutable {
                          self->queued_bytes_ -= bytes;
                          if (!self->ended_) self->stream_->take(self, std::move(events));
                        });
  return true;
}

void LivePublication::report(const LinkStats& stats) {
  boost::asio::post(stream_->executor(), [self = shared_from_this(), stats] {
    self->link_ = stats;
    if (self->stream_->group_of(*self)) self->stream_->tell_publishers();
  });
}

void LivePublication::close(std::string why) {
  boost::asio::post(stream_->executor(),
                    [self = shared_from_this(), why = std::move(why)] { self->stream_->leave(self, why); });
}

std::string LivePublication::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

void LivePublication::end(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_.exchange(true)) return;
    reason_ = why;
  }
  if (on_end_) boost::asio::post(executor_, on_end_);
}

}  // namespace lookback::server
