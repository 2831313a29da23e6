#pragma once
#include <cstddef>

namespace lookback::server::rtmp {

/// How many bytes should wait in a publisher's socket before its thread is woken (SO_RCVLOWAT): half of the
/// smallest video frame seen lately. Audio frames are smaller; they then come along with the next picture
/// instead of waking the thread by themselves, which halves the wake-ups of a stream and delays no part:
/// parts end when a *video* frame arrives. Falls at once, rises slowly. Belongs to its session.
class WakeThreshold {
 public:
  static constexpr std::size_t most_bytes = 2'048;  ///< 128 ms of 128 kbit/s audio, should video pause
  static constexpr std::size_t window = 128;        ///< video frames after which a smaller one is forgotten

  void video_frame(std::size_t size_bytes);
  /// A read that brought no video frame. When the threshold is above one byte, video has paused: audio alone
  /// must not wait. While it is learnt, such reads are usual.
  void no_video() {
    if (bytes() > 1) smallest_ = before_ = frames_ = 0;
  }
  /// At least 1.
  std::size_t bytes() const;

 private:
  std::size_t smallest_ = 0;  ///< in the running window; 0: nothing is known
  std::size_t before_ = 0;    ///< in the window before
  std::size_t frames_ = 0;
};

}  // namespace lookback::server::rtmp
