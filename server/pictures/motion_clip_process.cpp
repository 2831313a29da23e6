#include "server/pictures/motion_clip_process.hpp"

#include <utility>

#include "server/pictures/clip_request.hpp"
#include "server/pictures/motion_clips.hpp"

namespace lookback::server::pictures {

void MotionClipProcess::tick(const std::vector<StreamStatus>& streams) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Seen> seen;
  for (std::size_t i = 0; i < streams.size(); ++i) look_at(streams[(next_ + i) % streams.size()], seen);
  seen_ = std::move(seen);
  if (!streams.empty()) next_ = (next_ + 1) % streams.size();
}

void MotionClipProcess::look_at(const StreamStatus& stream, std::map<std::string, Seen>& seen) {
  const bool wanted = stream.settings && stream.settings->values.motionclip.enabled &&
                      stream.state == StreamStatus::State::publishing && stream.presentation;
  if (!wanted) return;
  const auto clip = latest_motion_clip(*stream.presentation, stream.settings->values.motionclip);
  if (!clip) return;
  auto now = Seen{clip->start_us, false};
  if (const auto before = seen_.find(stream.name); before != seen_.end()) {
    if (before->second.start_us == now.start_us) now.asked = before->second.asked;
    if (before->second.start_us != now.start_us && !before->second.asked)
      workers_.count_skipped(Purpose::clip);
  }
  if (!now.asked && take_turn()) {
    now.asked = true;
    const auto& options = maker_.options();
    const ClipMoment moment{stream.name,          stream.presentation,   *clip,
                            usual_width(options), options.max_clip_side, 0};
    maker_.make_ahead(moment, ImageFormat::webp_animation, [waiting = waiting_] { --*waiting; });
  }
  seen.emplace(stream.name, now);
}

bool MotionClipProcess::take_turn() {
  if (*waiting_ >= 2 * workers_.options().workers) return false;
  ++*waiting_;
  return true;
}

}  // namespace lookback::server::pictures
