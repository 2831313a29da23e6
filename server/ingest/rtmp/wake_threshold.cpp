#include "server/ingest/rtmp/wake_threshold.hpp"

#include <algorithm>

namespace lookback::server::rtmp {

void WakeThreshold::video_frame(std::size_t size_bytes) {
  smallest_ = frames_ == 0 ? size_bytes : std::min(smallest_, size_bytes);
  if (++frames_ < window) return;
  before_ = smallest_;
  frames_ = 0;
}

std::size_t WakeThreshold::bytes() const {
  if (before_ == 0) return 1;  // the first window only watches
  const auto smallest = frames_ == 0 ? before_ : std::min(before_, smallest_);
  return std::clamp<std::size_t>(smallest / 2, 1, most_bytes);
}

}  // namespace lookback::server::rtmp
