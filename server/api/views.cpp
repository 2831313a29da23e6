#include "server/api/views.hpp"

#include <span>

#include "server/archive/time_grammar.hpp"
#include "store/base/crc32c.hpp"
#include "store/base/errc.hpp"

namespace lookback::server::api {
namespace {

json::array gaps_json(const RangeFacts& facts) {
  json::array out;
  for (const auto& gap : facts.gaps) {
    out.push_back({{"start", archive::time_text(gap.start_us)},
                   {"end", archive::time_text(gap.end_us)},
                   {"reason", gap.reason}});
  }
  return out;
}

json::value duration_or_null(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return nullptr;
  return seconds(std::chrono::microseconds(duration).count());
}

}  // namespace

json::value time_or_null(std::int64_t us) {
  if (us == INT64_MAX || us == 0) return nullptr;
  return json::value(archive::time_text(us));
}

json::value seconds(std::int64_t us) {
  if (us % 1'000'000 == 0) return us / 1'000'000;
  return static_cast<double>(us) / 1e6;
}

json::object to_json(const Recording& recording, const std::optional<RangeFacts>& facts) {
  const auto& record = recording.record;
  const auto folder = "/vod/" + record.id;
  json::object out{{"id", record.id},
                   {"stream", recording.stream},
                   {"name", record.name},
                   {"state", name_of(recording.state)},
                   {"start", archive::time_text(record.start_us)},
                   {"end", time_or_null(record.end_us)},
                   {"created", archive::time_text(record.created_us)},
                   {"locked", record.locked},
                   {"keep_until", time_or_null(record.keep_until_us)},
                   {"by_policy", record.by_policy}};
  out["reason"] = record.reason.empty() ? json::value(nullptr) : json::value(record.reason);
  out["gaps"] = facts ? json::value(gaps_json(*facts)) : json::value(nullptr);
  out["bytes"] = facts ? json::value(facts->bytes) : json::value(nullptr);
  json::value media = nullptr;
  if (facts && facts->end_us != 0) {
    media = json::object{{"start", archive::time_text(facts->start_us)},
                         {"end", archive::time_text(facts->end_us)},
                         {"duration", seconds(facts->end_us - facts->start_us)}};
  }
  out["media"] = std::move(media);
  out["links"] = json::object{{"self", "/api/v1/recordings/" + record.id},
                              {"hls", folder + "/index.m3u8"},
                              {"mp4", folder + "/video.mp4"},
                              {"storyboard", folder + "/storyboard.vtt"},
                              {"thumbnail", folder + "/thumbnail.jpg"},
                              {"ranges", folder + "/ranges.json"},
                              {"watch", "/watch" + folder}};
  return out;
}

json::object processes_json(const StreamSettings& settings) {
  return {{"thumbs",
           {{"enabled", settings.thumbs.enabled}, {"interval", duration_or_null(settings.thumbs.interval)}}},
          {"motionclip",
           {{"enabled", settings.motionclip.enabled},
            {"duration", duration_or_null(settings.motionclip.duration)},
            {"interval", duration_or_null(settings.motionclip.interval)}}},
          {"rec", {{"enabled", settings.rec.enabled}, {"duration", duration_or_null(settings.rec.duration)}}},
          {"replay",
           {{"enabled", settings.replay_enabled}, {"duration", duration_or_null(settings.replay_duration)}}}};
}

json::object settings_json(const EffectiveSettings& settings) {
  const auto& values = settings.values;
  json::object out;
  const auto add = [&](std::string_view name, json::value value) {
    const auto origin = settings.origins.find(name);
    out[name] =
        json::object{{"value", std::move(value)},
                     {"origin", origin == settings.origins.end() ? std::string("default") : origin->second}};
  };
  add("segment", seconds(values.segment_us));
  add("part", seconds(values.part_us));
  add("max_segment", duration_or_null(values.max_segment));
  add("grace", seconds(std::chrono::microseconds(values.grace).count()));
  add("takeover", duration_or_null(values.takeover));
  add("publish", values.publish == PublishPolicy::open ? "open" : "key");
  for (const auto& process : processes_json(values)) {
    for (const auto& field : process.value().as_object()) {
      add(std::string(process.key()) + "." + std::string(field.key()), field.value());
    }
  }
  return out;
}

std::string settings_tag(const EffectiveSettings& settings) {
  const auto text = to_text(settings_json(settings));
  constexpr char digits[] = "0123456789abcdef";
  const auto sum = crc32c(std::as_bytes(std::span(text)));
  std::string tag = "\"";
  for (int shift = 28; shift >= 0; shift -= 4) tag += digits[sum >> shift & 15];
  return tag + "\"";
}

Problem to_problem(const boost::system::error_code& error) {
  if (error == store::Errc::not_found) return {404, "there is no such thing; it may have been deleted"};
  if (error == Errc::recording_locked)
    return {409, "the recording is locked; PATCH it with {\"locked\":false} first"};
  if (error == Errc::too_many_recordings) {
    return {409,
            "the stream, or the server, has all the recordings that limits.max_recordings_per_stream and "
            "limits.max_recordings allow; delete some"};
  }
  if (error == Errc::nothing_stored) {
    return field_problem(422, "/start",
                         "nothing is stored in this range, which is over; ranges.json tells what is");
  }
  if (error == Errc::already_publishing)
    return {409, "the stream is being published; end the publisher first"};
  if (error == Errc::too_many_streams) return {409, "limits.max_streams is reached"};
  return {503, "the store cannot do this now: " + error.message()};
}

}  // namespace lookback::server::api
