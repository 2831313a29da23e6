#include <algorithm>
#include <array>

#include "packager/media/language.hpp"
#include "server/api/json.hpp"
#include "server/api/query.hpp"
#include "server/api/routes.hpp"
#include "server/api/views.hpp"
#include "server/archive/time_grammar.hpp"
#include "server/ingest/ingest.hpp"
#include "store/base/errc.hpp"

namespace lookback::server::api {
namespace {

constexpr std::int64_t century_s = 36'500ll * 86'400;

EffectiveSettingsPtr in_force(const Services& services, std::string_view stream) {
  return services.overrides.apply(stream, services.configured(stream));
}

std::string_view name_of(StreamStatus::State state) {
  switch (state) {
    case StreamStatus::State::publishing:
      return "live";
    case StreamStatus::State::waiting:
      return "waiting";
    case StreamStatus::State::ended:
      return "ended";
  }
  return "ended";
}

json::array tracks_json(const StreamStatus& status) {
  json::array out;
  for (const auto& [name, format] : status.formats) {
    if (!format) continue;
    json::object track{{"name", name}, {"codecs", format->codecs}};
    if (name.starts_with('v')) {
      track["width"] = format->display_width;
      track["height"] = format->display_height;
    } else {
      track["sample_rate"] = format->sample_rate;
      track["channels"] = format->channels;
      track["language"] = packager::language_of(format->language).tag;
    }
    out.push_back(std::move(track));
  }
  return out;
}

/// What can be seen now.
json::value window_json(const StreamStatus& status) {
  if (!status.presentation || status.presentation->renditions().empty()) return nullptr;
  const auto& lead = *status.presentation->renditions().front();
  const auto last = lead.last_msn();
  const auto first_time = lead.time_of(lead.first_msn());
  if (!last || !first_time) return nullptr;
  const auto last_time = lead.time_of(*last);
  if (!last_time) return nullptr;
  return json::object{{"start", archive::time_text(first_time->pdt_us)},
                      {"end", archive::time_text(last_time->end_us())},
                      {"first_msn", lead.first_msn()},
                      {"last_msn", *last}};
}

json::value link_json(const std::optional<LinkStats>& link) {
  if (!link) return nullptr;
  const auto seconds = [](auto duration) { return std::chrono::duration<double>(duration).count(); };
  return json::object{{"rtt", seconds(link->rtt)},
                      {"latency", seconds(link->latency)},
                      {"mbps", link->receive_mbps},
                      {"packets", link->received_packets},
                      {"lost", link->lost_packets},
                      {"dropped", link->dropped_packets},
                      {"undecrypted", link->undecrypted_packets}};
}

/// The connections of a publisher: one, or those that came as NAME@RENDITION.
json::array feeds_json(const std::vector<FeedStatus>& feeds) {
  json::array out;
  for (const auto& feed : feeds) {
    json::object one{
        {"rendition", feed.rendition.empty() ? json::value(nullptr) : json::value(feed.rendition)},
        {"address", feed.peer},
        {"protocol", feed.protocol},
        {"encoder", feed.encoder},
        {"link", link_json(feed.link)},
        {"since", archive::time_text(feed.since_us)}};
    one["aligned"] = !feed.shift_us ? json::value(nullptr) : feed.by_arrival ? "arrival" : "timestamps";
    one["shift"] = feed.shift_us ? json::value(static_cast<double>(*feed.shift_us) / 1e6) : nullptr;
    out.push_back(std::move(one));
  }
  return out;
}

json::value publisher_json(const StreamStatus& status) {
  if (status.state != StreamStatus::State::publishing) return nullptr;
  return json::object{
      {"address", status.peer},           {"protocol", status.protocol},
      {"encoder", status.encoder},        {"role", status.publisher_is_backup ? "backup" : "primary"},
      {"link", link_json(status.link)},   {"since", archive::time_text(status.session_started_us)},
      {"feeds", feeds_json(status.feeds)}};
}

json::value standby_json(const StreamStatus& status) {
  if (!status.standby) return nullptr;
  return json::object{{"address", status.standby->peer},
                      {"protocol", status.standby->protocol},
                      {"encoder", status.standby->encoder},
                      {"role", status.publisher_is_backup ? "primary" : "backup"},
                      {"link", link_json(status.standby->link)},
                      {"since", archive::time_text(status.standby->since_us)},
                      {"feeds", feeds_json(status.standby->feeds)}};
}

json::value failover_json(const StreamStatus& status) {
  if (!status.failover) return nullptr;
  return json::object{{"count", status.failover->count},
                      {"last", archive::time_text(status.failover->last_us)},
                      {"reason", status.failover->reason}};
}

template <class Value>
json::value known(const std::optional<Value>& value, double unit) {
  if (!value) return nullptr;
  return static_cast<double>(*value) / unit;
}

/// Durations in seconds, as everywhere.
json::value health_json(const StreamStatus& status) {
  if (status.state != StreamStatus::State::publishing || !status.health) return nullptr;
  const auto& health = *status.health;
  json::array complaints;
  for (const auto& each : health.complaints) {
    complaints.push_back({{"code", name_of(each.ailment)},
                          {"level", each.notice ? "notice" : "warning"},
                          {"text", each.text},
                          {"since", archive::time_text(each.since_us)}});
  }
  return json::object{{"state", health.is_degraded() ? "degraded" : "good"},
                      {"bit_rate", health.bits_per_second},
                      {"frame_rate", known(health.frame_rate, 1)},
                      {"gop", known(health.gop_us, 1e6)},
                      {"av_offset", known(health.av_offset_us, 1e6)},
                      {"jitter", known(health.jitter_us, 1e6)},
                      {"clock_offset", known(health.clock_offset_us, 1e6)},
                      {"drift_ppm", known(health.drift_ppm, 1)},
                      {"loss", known(health.loss, 1)},
                      {"timestamp_jumps", health.jumps},
                      {"problems", std::move(complaints)}};
}

json::object links_json(const std::string& name) {
  return {{"self", "/api/v1/streams/" + name},
          {"hls", "/" + name + "/index.m3u8"},
          {"mp4", "/" + name + "/video.mp4"},
          {"thumbnail", "/" + name + "/thumbnail.jpg"},
          {"ranges", "/" + name + "/ranges.json"},
          {"watch", "/watch/" + name},
          {"recordings", "/api/v1/recordings?stream=" + name}};
}

/// How the calls for a pulled stream go; null: it is not pulled.
json::value pull_json(const std::vector<srt::PullStatus>& pulls, const std::string& stream) {
  const auto found = std::ranges::find(pulls, stream, &srt::PullStatus::stream);
  if (found == pulls.end()) return nullptr;
  json::object out{{"address", found->address},
                   {"state", srt::name_of(found->state)},
                   {"reason", found->reason.empty() ? json::value(nullptr) : json::value(found->reason)},
                   {"failures", found->failures},
                   {"next_try_in", nullptr}};
  if (found->state == srt::PullStatus::State::waiting) {
    const std::chrono::duration<double> left = found->next_try - std::chrono::steady_clock::now();
    out["next_try_in"] = std::max(0.0, left.count());
  }
  return out;
}

/// Those that are loaded, and those that are pulled and have not come yet.
std::vector<StreamStatus> all_statuses(const Services& services, const std::vector<srt::PullStatus>& pulls) {
  auto statuses = services.registry.statuses();
  for (const auto& pull : pulls) {
    if (std::ranges::find(statuses, pull.stream, &StreamStatus::name) != statuses.end()) continue;
    StreamStatus status;
    status.name = pull.stream;
    status.state = StreamStatus::State::ended;
    statuses.push_back(std::move(status));
  }
  std::ranges::sort(statuses, {}, &StreamStatus::name);
  return statuses;
}

json::object summary(const StreamStatus& status, const std::vector<srt::PullStatus>& pulls) {
  json::object out{{"name", status.name},
                   {"state", name_of(status.state)},
                   {"publisher", publisher_json(status)},
                   {"standby", standby_json(status)},
                   {"failover", failover_json(status)},
                   {"pull", pull_json(pulls, status.name)},
                   {"health", health_json(status)},
                   {"tracks", tracks_json(status)},
                   {"window", window_json(status)},
                   {"links", links_json(status.name)}};
  out["store_error"] = status.store_error ? json::value(status.store_error.message()) : json::value(nullptr);
  return out;
}

/// A stream that is not loaded, but that something is kept of: settings, recordings, or its numbers.
std::optional<StreamStatus> status_of(const Services& services, const std::string& name) {
  if (auto status = services.registry.status(name)) return status;
  const auto pulls = services.pulls();
  const bool is_pulled = std::ranges::find(pulls, name, &srt::PullStatus::stream) != pulls.end();
  const auto record = services.store.find_stream(name);
  if (!record && !is_pulled) return std::nullopt;
  const bool known =
      is_pulled || !services.overrides.of(name).empty() || !services.recordings.of_stream(record->id).empty();
  if (!known) return std::nullopt;
  StreamStatus status;
  status.name = name;
  if (record) status.id = record->id;
  status.state = StreamStatus::State::ended;
  return status;
}

Reply shown(const Services& services, const StreamStatus& status) {
  const auto settings = in_force(services, status.name);
  auto body = summary(status, services.pulls());
  body["processes"] = processes_json(settings->values);
  body["settings"] = settings_json(*settings);
  Reply reply;
  reply.body = std::move(body);
  reply.etag = settings_tag(*settings);
  return reply;
}

/// One duration of one process, in seconds; `max_s` may depend on limits.max_interval.
struct ProcessField {
  std::string_view process, field;
  std::int64_t min_s, max_s;
  bool nullable;     ///< null: the entire stream
  bool is_interval;  ///< `max_s` is limits.max_interval
};
constexpr std::array process_fields{
    ProcessField{"thumbs", "interval", 10, 60, false, true},
    ProcessField{"motionclip", "duration", 1, 60, false, false},
    ProcessField{"motionclip", "interval", 10, 60, false, true},
    ProcessField{"rec", "duration", 1, century_s, true, false},
    ProcessField{"replay", "duration", 1, century_s, true, false},
};
constexpr std::array<std::string_view, 4> process_names{"thumbs", "motionclip", "rec", "replay"};

std::string setting_name(std::string_view process, std::string_view field) {
  return std::string(process) + "." + std::string(field);
}

void change_process(const json::object& body, std::string_view process, std::int64_t max_interval_s,
                    std::vector<FieldError>& errors, OverrideValues& values) {
  Fields fields(body, "/processes/" + std::string(process), errors);
  if (const auto enabled = fields.flag("enabled"))
    values[setting_name(process, "enabled")] = *enabled ? 1 : 0;
  for (const auto& field : process_fields) {
    if (field.process != process) continue;
    const auto name = setting_name(process, field.field);
    if (field.nullable && fields.is_null(field.field)) {
      (void)fields.take(field.field);
      values[name] = 0;
      continue;
    }
    const auto max_s = field.is_interval ? max_interval_s : field.max_s;
    const auto duration_us = fields.seconds(field.field, field.min_s, max_s, field.nullable);
    if (duration_us) values[name] = *duration_us / 1'000;
  }
  fields.finish();
}

/// Applies the body of a PATCH to what is set already. A process that is null goes back to the configuration.
Outcome<OverrideValues> changed_values(const Services& services, const Call& call) {
  const auto body = parse_object(call.body);
  if (!body) return body.error();
  std::vector<FieldError> errors;
  Fields fields(*body, "", errors);
  auto values = services.overrides.of(call.resource);
  const auto* processes = fields.object("processes");
  if (!fields.has("processes")) fields.complain("processes", "is missing; name a process to change");
  fields.finish();
  if (processes) {
    Fields known(*processes, "/processes", errors);
    const auto max_s = std::chrono::ceil<std::chrono::seconds>(services.max_interval()).count();
    for (const auto process : process_names) {
      if (known.is_null(process)) {
        (void)known.take(process);
        std::erase_if(values,
                      [&](const auto& item) { return item.first.starts_with(std::string(process) + "."); });
      } else if (const auto* object = known.object(process)) {
        change_process(*object, process, max_s, errors, values);
      }
    }
    known.finish();
  }
  if (!errors.empty()) return wrong_fields(std::move(errors));
  return values;
}

/// Whether an If-Match list names `tag`, or is "*" (RFC 9110 13.1.1).
bool if_match(std::string_view list, std::string_view tag) {
  return list == "*" || list.find(tag) != std::string_view::npos;
}

}  // namespace

Outcome<Reply> list_streams(const Services& services, const Call& call) {
  auto query = Query::parse(call.query);
  if (!query) return query.error();
  const auto page = take_page(*query);
  if (!page) return page.error();
  const auto state = query->take("state");
  if (state && *state != "live" && *state != "waiting" && *state != "ended")
    return field_problem(400, "?state", "must be live, waiting or ended");
  if (const auto finished = query->finish(); !finished) return finished.error();
  const auto pulls = services.pulls();
  auto statuses = all_statuses(services, pulls);
  if (state)
    std::erase_if(statuses, [&](const StreamStatus& status) { return name_of(status.state) != *state; });
  json::array items;
  for (auto i = page->offset; i < statuses.size() && items.size() < page->limit; ++i)
    items.push_back(summary(statuses[i], pulls));
  Reply reply;
  reply.body = json::object{{"streams", std::move(items)},
                            {"total", statuses.size()},
                            {"offset", page->offset},
                            {"limit", page->limit}};
  return reply;
}

Outcome<Reply> show_stream(const Services& services, const Call& call) {
  const auto status = status_of(services, call.resource);
  if (!status) return Problem{404, "there is no such stream"};
  return shown(services, *status);
}

Outcome<Reply> change_stream(const Services& services, const Call& call) {
  if (!check_stream_name(call.resource)) return Problem{404, "no stream can have this name"};
  const auto tag = settings_tag(*in_force(services, call.resource));
  if (!call.if_match.empty() && !if_match(call.if_match, tag))
    return Problem{412, "the settings have changed since; GET them again, then decide again"};
  const auto values = changed_values(services, call);
  if (!values) return values.error();
  if (const auto set = services.overrides.set(call.resource, *values); !set) return to_problem(set.error());
  services.registry.apply_settings();
  const auto status = status_of(services, call.resource);
  if (status) return shown(services, *status);
  StreamStatus unknown;
  unknown.name = call.resource;
  unknown.state = StreamStatus::State::ended;
  return shown(services, unknown);
}

Outcome<Reply> delete_stream(const Services& services, const Call& call) {
  const auto status = status_of(services, call.resource);
  if (!status) return Problem{404, "there is no such stream"};
  if (!services.overrides.of(call.resource).empty()) {
    if (const auto set = services.overrides.set(call.resource, {}); !set) return to_problem(set.error());
  }
  const auto forgotten = services.registry.forget(call.resource);
  if (!forgotten && forgotten.error() != store::Errc::not_found) return to_problem(forgotten.error());
  return Reply{.status = 204, .body = nullptr, .etag = {}, .location = {}};
}

}  // namespace lookback::server::api
