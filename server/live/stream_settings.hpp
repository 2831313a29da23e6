#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace lookback::server {

/// Who may publish to a stream.
enum class PublishPolicy {
  key,   ///< from loopback anyone, from elsewhere with the stream's key or the server key
  open,  ///< anyone
};

/// Periodic pictures of the live stream.
struct ThumbsSettings {
  bool enabled = true;
  std::chrono::milliseconds interval{10'000};  ///< 10 s to 60 s, or to limits.max_interval

  bool operator==(const ThumbsSettings&) const = default;
};

/// Periodic animated clips of the live stream.
struct MotionClipSettings {
  bool enabled = false;
  std::chrono::milliseconds duration{5'000};   ///< of one clip: 1 s to 60 s
  std::chrono::milliseconds interval{30'000};  ///< 10 s to 60 s, or to limits.max_interval

  bool operator==(const MotionClipSettings&) const = default;
};

/// A recording that starts with the stream.
struct RecSettings {
  bool enabled = false;
  std::chrono::milliseconds duration{0};  ///< at least 1 s; 0: the entire stream

  bool operator==(const RecSettings&) const = default;
};

/// What an operator can decide about one stream. Immutable value; the defaults are the product's.
struct StreamSettings {
  std::int64_t segment_us = 2'000'000;  ///< segments end at the first sync sample after this
  std::int64_t part_us = 334'000;       ///< part target
  std::chrono::milliseconds max_segment{
      10'000};  ///< longest TARGETDURATION that the first GOP may choose; whole seconds
  std::chrono::milliseconds grace{60'000};  ///< how long the live playlist waits for a publisher that dropped
  std::chrono::milliseconds takeover{10'000};  ///< a publisher silent for this long may be replaced
  PublishPolicy publish = PublishPolicy::key;
  std::string key;             ///< the stream's own secret; empty: only the server key opens it
  std::string srt_passphrase;  ///< that SRT publishers encrypt with, 10 to 79 characters; empty: unencrypted
  std::string pull;            ///< "srt://host:port?...": the remote listener it is pulled from; empty: none
  bool replay_enabled = true;  ///< off: only the shortest legal live playlist is served
  std::chrono::milliseconds replay_duration{
      14'400'000};  ///< of the DVR window, at least 1 s; 0: the entire stream
  ThumbsSettings thumbs;
  MotionClipSettings motionclip;
  RecSettings rec;

  bool operator==(const StreamSettings&) const = default;
};

/// One stream's settings and where each came from. Immutable and shared by every thread.
struct EffectiveSettings {
  StreamSettings values;
  /// By the key's name in the configuration ("segment", "replay.duration"): "default",
  /// "lookback.toml:12:1", "LOOKBACK_DEFAULTS_PART" or "--set defaults.part".
  std::map<std::string, std::string, std::less<>> origins;
};

using EffectiveSettingsPtr = std::shared_ptr<const EffectiveSettings>;

/// Resolves a stream's settings; never null. Thread-safe callee.
using SettingsFor = std::function<EffectiveSettingsPtr(std::string_view stream)>;

}  // namespace lookback::server
