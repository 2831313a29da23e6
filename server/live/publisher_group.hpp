#pragma once
#include <algorithm>
#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "server/live/feed_mixer.hpp"
#include "server/live/standby_buffer.hpp"

namespace lookback::server {

class LivePublication;

/// The connections that together are one publisher of a stream: one, or one for each rendition. Belongs to
/// its stream's strand; other threads may look at `backup` and `members` under the stream's lock, under which
/// it changes them.
struct PublisherGroup {
  using Member = std::shared_ptr<LivePublication>;

  bool backup = false;
  std::vector<Member> members;  ///< in the order in which they came; never empty while the group is used
  FeedMixer mixer;
  Announced announced;  ///< of what the mixer gives out, so far

  /// How long nothing came from any of them.
  std::chrono::milliseconds silence() const;
  /// Null: it is not here.
  Member member(std::string_view rendition) const;
  bool has(const LivePublication& publication) const;
};

using PublisherGroupPtr = std::shared_ptr<PublisherGroup>;

}  // namespace lookback::server
