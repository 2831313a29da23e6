#pragma once
#include <cstddef>

namespace lookback::server::rtmp {

/// How many bytes should wait in a publisher's socket before its thread is woken (SO_RCVLOWAT) while video
/// comes: half of the smallest video frame seen lately. Chunk headers that are sent alone, and audio frames,
/// are smaller; they then come along with the next picture instead of waking the thread by themselves, which
/// takes away most wake-ups of a stream and delays no part: parts end when a *video* frame arrives. Falls at
/// once, rises slowly. Belongs to its session, which lets any byte wake it when nothing has come for a while.
class WakeThreshold {
 public:
  static constexpr std::size_t most_bytes = 2'048;
  static constexpr std::size_t window = 128;  ///< video frames after which a smaller one is forgotten

  void video_frame(std::size_t size_bytes);
  /// At least 1.
  std::size_t bytes() const;

 private:
  std::size_t smallest_ = 0;  ///< in the running window; 0: nothing is known
  std::size_t before_ = 0;    ///< in the window before
  std::size_t frames_ = 0;
};

}  // namespace lookback::server::rtmp
