#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/live/stream_status.hpp"
#include "server/pictures/clip_maker.hpp"

namespace lookback::server::pictures {

/// Makes each stream's newest motion clip ahead, as animated WebP, while somebody publishes and the process
/// is on. At most two for each worker wait at a time, so that the streams, whose clips all end at the same
/// time, take turns and others' pictures come in between; a clip that the next one has overtaken meanwhile is
/// skipped, and counted. Thread-safe; `maker` and `workers` outlive it.
class MotionClipProcess {
 public:
  MotionClipProcess(ClipMaker& maker, Workers& workers) : maker_(maker), workers_(workers) {}

  /// To be called about once a second, with all streams that are loaded.
  void tick(const std::vector<StreamStatus>& streams);

 private:
  /// By stream: the start of the newest clip that was seen, and whether it has been asked for.
  struct Seen {
    std::int64_t start_us = 0;
    bool asked = false;
  };

  void look_at(const StreamStatus& stream, std::map<std::string, Seen>& seen);
  bool take_turn();

  ClipMaker& maker_;
  Workers& workers_;
  std::mutex mutex_;                  ///< guards seen_
  std::map<std::string, Seen> seen_;  ///< those with the process on
  std::size_t next_ = 0;              ///< the stream whose turn it is
  /// Jobs under way; shared with them.
  const std::shared_ptr<std::atomic<std::size_t>> waiting_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace lookback::server::pictures
