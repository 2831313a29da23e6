#include "server/ingest/srt/session.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "server/ingest/loggable.hpp"

namespace lookback::server::srt {

namespace asio = boost::asio;
using boost::system::error_code;

Session::Session(asio::any_io_executor executor, Guest guest, std::shared_ptr<Common> common)
    : executor_(std::move(executor)),
      work_(std::in_place, executor_),
      common_(std::move(common)),
      guest_(std::move(guest)),
      peer_(guest_.request.peer),
      stream_(loggable_stream(guest_.request.stream)),
      demuxer_(
          {.max_unit_bytes = common_->options.max_frame_bytes, .max_tracks = common_->options.max_tracks}) {}

// --- the listener's thread ------------------------------------------------------------------------

void Session::start() {
  auto run = [self = shared_from_this()] { return self->admit(); };
  asio::co_spawn(executor_, std::move(run), [self = shared_from_this()](const std::exception_ptr& thrown) {
    if (!thrown) return;
    self->asking_ = false;
    self->end_here(Errc::too_slow, "out of memory");
    if (self->gone_) self->conclude();
  });
}

void Session::offer(std::vector<std::byte> datagrams) {
  const auto size = datagrams.size();
  if (queued_bytes_ + size > common_->options.max_queue_bytes) {
    return end(Errc::too_slow, "the server cannot keep up with its publisher (srt.max_queue)");
  }
  queued_bytes_ += size;
  asio::post(executor_, [self = shared_from_this(), datagrams = std::move(datagrams)]() mutable {
    self->take(std::move(datagrams));
  });
}

void Session::report(const LinkStats& stats) {
  asio::post(executor_, [self = shared_from_this(), stats] {
    self->link_ = stats;
    if (self->publication_) self->publication_->report(stats);
  });
}

void Session::disconnected(std::string why) {
  asio::post(executor_, [self = shared_from_this(), why = std::move(why)]() mutable {
    self->gone_ = true;
    if (!self->end_) self->end_ = End{{}, std::move(why)};
    if (!self->asking_) self->conclude();
  });
}

void Session::end(error_code error, std::string why) {
  over_ = true;
  asio::post(executor_, [self = shared_from_this(), error, why = std::move(why)]() mutable {
    self->end_here(error, std::move(why));
  });
}

// --- the executor ---------------------------------------------------------------------------------

asio::awaitable<void> Session::admit() {
  auto request = guest_.request;
  auto executor = executor_;
  std::function<void()> on_end = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->publication_ended();
  };
  auto granted = co_await common_->ingest.publish(std::move(request), std::move(executor), std::move(on_end));
  asking_ = false;
  guest_.claim.reset();
  if (granted) {
    publication_ = std::move(*granted);
    admitted();
  } else {
    end_here(granted.error(), granted.error().message());
  }
  if (gone_) conclude();
}

void Session::admitted() {
  if (publication_over_) return publication_ended();
  spdlog::info("srt: {} publishes {}{}{}", peer_, stream_, guest_.request.encoder.empty() ? "" : " with ",
               guest_.request.encoder);
  for (auto& datagrams : std::exchange(waiting_, {})) take(std::move(datagrams));
}

void Session::take(std::vector<std::byte> datagrams) {
  if (asking_) {
    waiting_.push_back(std::move(datagrams));
    return;
  }
  queued_bytes_ -= datagrams.size();
  bytes_ += datagrams.size();
  if (!end_) read(datagrams);
}

void Session::read(ByteSpan bytes) {
  std::vector<IngestEvent> events;
  demuxer_.feed(bytes, events);
  tell_notes();
  const auto is_list = [](const IngestEvent& event) { return std::holds_alternative<TrackList>(event); };
  has_media_ = has_media_ || !std::ranges::all_of(events, is_list);
  if (!events.empty()) push(std::move(events));
  if (has_media_ || over_ || Clock::now() - since_ < common_->options.first_media_timeout) return;
  end_here(Errc::timed_out,
           demuxer_.streams().empty()
               ? "no MPEG-TS program came within srt.first_media_timeout"
               : "no picture or sound that can be carried came within srt.first_media_timeout");
}

void Session::push(std::vector<IngestEvent> events) {
  if (publication_->push(std::move(events))) return;
  end_here(Errc::too_slow, publication_->reason());
}

/// Each is new once in a session; how many there can be is bounded by the demuxer.
void Session::tell_notes() {
  for (const auto& note : demuxer_.take_notes()) spdlog::warn("srt: {}, stream {}: {}", peer_, stream_, note);
}

/// May come before `admit` has resumed with the publication.
void Session::publication_ended() {
  publication_over_ = true;
  if (publication_) end_here(Errc::too_slow, publication_->reason());
}

void Session::end_here(error_code error, std::string why) {
  if (!end_) end_ = End{error, std::move(why)};
  over_ = true;
}

/// The socket is closed and the publication decided: gives out what is left, and says how it ended.
void Session::conclude() {
  if (std::exchange(concluded_, true)) return;
  if (publication_) {
    if (!publication_over_) {
      std::vector<IngestEvent> events;
      demuxer_.finish(events);
      if (!events.empty()) publication_->push(std::move(events));
    }
    publication_->close(end_->why);
    log_end();
  } else {
    common_->warn(fmt::format("{} refused, stream {}: {}", peer_, stream_, end_->why));
  }
  if (guest_.on_end) guest_.on_end(end_->why);
  publication_.reset();
  work_.reset();
}

void Session::log_end() const {
  const std::chrono::duration<double> duration = Clock::now() - since_;
  const auto counts = demuxer_.counts();
  spdlog::info(
      "srt: {} published {} for {:.1f} s ({} bytes, {} video and {} audio frames, {} cues; link: RTT {:.1f} "
      "ms, {} "
      "packets "
      "lost, {} of them for good, {} not decrypted; stream: {} packets lost, {} bad, {} duplicates, {} "
      "damaged and "
      "{} early units, {} packets of other PIDs): {}",
      peer_, stream_, duration.count(), bytes_, counts.video_frames, counts.audio_frames, counts.cues,
      static_cast<double>(link_.rtt.count()) / 1'000, link_.lost_packets, link_.dropped_packets,
      link_.undecrypted_packets, counts.lost_packets, counts.bad_packets, counts.duplicate_packets,
      counts.damaged_units, counts.early_units, counts.ignored_packets, end_->why);
}

}  // namespace lookback::server::srt
