#include "conf/setting_builder.hpp"
#include "conf/settings.hpp"

namespace lookback::conf {
namespace {

using namespace std::chrono_literals;
using server::PublishPolicy;
using server::StreamSettings;
using Make = SettingBuilder<StreamSettings>;

constexpr std::string_view no_thumbs = "this build makes no thumbnails";
constexpr std::string_view no_motionclip = "this build makes no motion clips";
constexpr std::chrono::microseconds ever = 36'500 * 24h;  // a century: sums with a date cannot overflow

Setting<StreamSettings> publish_policy() {
  Setting<StreamSettings> setting;
  setting.name = "publish";
  setting.type = Type{.kind = Kind::choice, .choices = {"key", "open"}};
  setting.assign = [](StreamSettings& s, const Value& value) {
    s.publish = std::get<std::string>(value) == "open" ? PublishPolicy::open : PublishPolicy::key;
  };
  setting.read = [](const StreamSettings& s) -> Value {
    return std::string(s.publish == PublishPolicy::open ? "open" : "key");
  };
  return setting;
}

Setting<StreamSettings> stream_key() {
  auto setting = Make::text(
      "key", 0, 256, [](auto& s) -> auto& { return s.key; });
  setting.secret = true;
  return setting;
}

/// libsrt takes 10 to 79 characters; `check` says so.
Setting<StreamSettings> srt_passphrase() {
  auto setting = Make::text(
      "srt.passphrase", 0, 79, [](auto& s) -> auto& { return s.srt_passphrase; });
  setting.secret = true;
  return setting;
}

/// It may hold a passphrase. `check` reads it.
Setting<StreamSettings> pull() {
  auto setting = Make::text(
      "pull", 0, 2'000, [](auto& s) -> auto& { return s.pull; });
  setting.secret = true;
  return setting;
}

/// TARGETDURATION is an integer number of seconds (rfc8216bis 4.4.3.1).
Setting<StreamSettings> max_segment() {
  auto setting = Make::duration(
      "max_segment", 1s, 60s, [](auto& s) -> auto& { return s.max_segment; });
  setting.type.step = 1'000'000;
  return setting;
}

std::vector<Setting<StreamSettings>> all() {
  std::vector<Setting<StreamSettings>> list{
      Make::duration(
          "segment", 1s, 30s, [](auto& s) -> auto& { return s.segment_us; }),
      Make::duration(
          "part", 100ms, 2s, [](auto& s) -> auto& { return s.part_us; }),
      max_segment(),
      Make::duration(
          "grace", 0s, 24h, [](auto& s) -> auto& { return s.grace; }),
      Make::duration(
          "takeover", 1s, 1h, [](auto& s) -> auto& { return s.takeover; }),
      publish_policy(),
      stream_key(),
      srt_passphrase(),
      pull(),
      Make::flag(
          "replay.enabled", [](auto& s) -> auto& { return s.replay_enabled; }),
      zero_as("all", Make::duration(
                         "replay.duration", 1s, ever, [](auto& s) -> auto& { return s.replay_duration; })),
      absent(no_thumbs, Make::flag(
                            "thumbs.enabled", [](auto& s) -> auto& { return s.thumbs.enabled; })),
      absent(no_thumbs, Make::duration(
                            "thumbs.interval", 10s, 1h, [](auto& s) -> auto& { return s.thumbs.interval; })),
      absent(no_motionclip, Make::flag(
                                "motionclip.enabled", [](auto& s) -> auto& { return s.motionclip.enabled; })),
      absent(no_motionclip,
             Make::duration(
                 "motionclip.duration", 1s, 60s, [](auto& s) -> auto& { return s.motionclip.duration; })),
      absent(no_motionclip,
             Make::duration(
                 "motionclip.interval", 10s, 1h, [](auto& s) -> auto& { return s.motionclip.interval; })),
      Make::flag(
          "rec.enabled", [](auto& s) -> auto& { return s.rec.enabled; }),
      zero_as("all", Make::duration(
                         "rec.duration", 1s, ever, [](auto& s) -> auto& { return s.rec.duration; })),
  };
  for (auto& setting : list) setting.live = true;
  return list;
}

}  // namespace

const std::vector<Setting<StreamSettings>>& stream_settings() {
  static const auto list = all();
  return list;
}

}  // namespace lookback::conf
