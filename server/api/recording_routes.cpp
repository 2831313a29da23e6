#include <algorithm>
#include <array>

#include "server/api/json.hpp"
#include "server/api/query.hpp"
#include "server/api/routes.hpp"
#include "server/api/views.hpp"
#include "server/ingest/ingest.hpp"

namespace lookback::server::api {
namespace {

constexpr std::int64_t max_duration_s = 10ll * 366 * 86'400;
constexpr std::int64_t second_us = 1'000'000;
constexpr std::size_t max_name_bytes = 200;
/// Segments of each track that one answer may count: some 10 ms.
constexpr std::uint64_t count_when_creating = 2'000, count_when_listing = 20'000,
                        count_when_shown = 1'000'000;

Outcome<Reply> shown(const Services& services, const Recording& recording, std::uint64_t budget) {
  const auto facts = services.facts.of(recording.record, budget);
  if (!facts) return to_problem(facts.error());
  Reply reply;
  reply.body = to_json(recording, *facts);
  return reply;
}

Outcome<Recording> find(const Services& services, const Call& call) {
  auto recording = services.recordings.find(call.resource);
  if (!recording) return Problem{404, "there is no such recording; it may have been deleted"};
  return std::move(*recording);
}

/// `keep_for` and `keep_until` of `retention`; null: for ever.
std::optional<std::int64_t> take_retention(Fields& fields, std::vector<FieldError>& errors,
                                           std::int64_t now_us) {
  if (fields.is_null("retention")) {
    (void)fields.take("retention");
    return 0;
  }
  const auto* object = fields.object("retention");
  if (!object) return std::nullopt;
  Fields retention(*object, fields.pointer("retention"), errors);
  const auto keep_for = retention.seconds("keep_for", 1, max_duration_s);
  const auto keep_until = retention.time("keep_until", now_us);
  retention.finish();
  if (retention.has("keep_for") == retention.has("keep_until")) {
    errors.push_back({fields.pointer("retention"), "takes either keep_for (seconds) or keep_until (a time)"});
    return std::nullopt;
  }
  if (keep_for) return now_us + *keep_for;
  if (keep_until && *keep_until <= now_us) retention.complain("keep_until", "must be in the future");
  return keep_until;
}

/// What the body of a POST asks for.
Outcome<NewRecording> read_wanted(const json::object& body, std::int64_t now_us) {
  std::vector<FieldError> errors;
  Fields fields(body, "", errors);
  NewRecording wanted;
  wanted.stream = fields.text("stream", 1, 200).value_or("");
  if (!fields.has("stream")) fields.complain("stream", "is missing; name a stream, for instance live/news");
  if (!wanted.stream.empty() && !check_stream_name(wanted.stream)) {
    fields.complain("stream",
                    "must be up to 3 parts of letters, digits, dots, hyphens and underscores, none "
                    "starting with a dot, the first not a reserved word");
  }
  wanted.name = fields.text("name", 0, max_name_bytes).value_or("");
  wanted.start_us = fields.time("start", now_us).value_or(now_us);
  const bool open = fields.is_null("end") || fields.is_null("duration");
  std::optional<std::int64_t> end, duration;
  if (fields.is_null("end")) {
    (void)fields.take("end");
  } else {
    end = fields.time("end", now_us);
  }
  if (fields.is_null("duration")) {
    (void)fields.take("duration");
  } else {
    duration = fields.seconds("duration", 1, max_duration_s, true);
  }
  if (fields.has("end") && fields.has("duration") && !open)
    fields.complain("duration", "does not go with end; leave one of them away");
  if (end) wanted.end_us = *end;
  if (duration) wanted.end_us = wanted.start_us + *duration;
  if (end && *end - wanted.start_us < second_us) fields.complain("end", "must be at least 1 s after start");
  const auto farthest_us = now_us + max_duration_s * second_us;
  if (wanted.start_us > farthest_us) fields.complain("start", "must be less than 10 years away");
  if (end && *end > farthest_us) fields.complain("end", "must be less than 10 years away");
  wanted.locked = fields.flag("locked").value_or(false);
  wanted.keep_until_us = take_retention(fields, errors, now_us).value_or(0);
  fields.finish();
  if (!errors.empty()) return wrong_fields(std::move(errors));
  return wanted;
}

constexpr std::array states{RecordingState::scheduled, RecordingState::recording, RecordingState::ready,
                            RecordingState::failed};

Outcome<RecordingFilter> read_filter(std::string_view text, std::int64_t now_us) {
  auto query = Query::parse(text);
  if (!query) return query.error();
  RecordingFilter filter;
  const auto page = take_page(*query);
  if (!page) return page.error();
  filter.offset = page->offset;
  filter.limit = page->limit;
  filter.stream = query->take("stream");
  filter.name = query->take("name");
  if (const auto state = query->take("state")) {
    const auto found =
        std::find_if(states.begin(), states.end(), [&](auto s) { return name_of(s) == *state; });
    if (found == states.end())
      return field_problem(400, "?state", "must be scheduled, recording, ready or failed");
    filter.state = *found;
  }
  const auto from = query->time("created_from", now_us, INT64_MIN);
  if (!from) return from.error();
  const auto to = query->time("created_to", now_us, INT64_MAX);
  if (!to) return to.error();
  filter.created_from_us = *from;
  filter.created_to_us = *to;
  if (const auto finished = query->finish(); !finished) return finished.error();
  return filter;
}

}  // namespace

Outcome<Reply> list_recordings(const Services& services, const Call& call) {
  const auto filter = read_filter(call.query, services.now_us());
  if (!filter) return filter.error();
  const auto page = services.recordings.list(*filter);
  auto budget = count_when_listing;
  json::array items;
  for (const auto& recording : page.recordings) {
    const auto facts = services.facts.of(recording.record, budget);
    if (!facts) return to_problem(facts.error());
    items.push_back(to_json(recording, *facts));
  }
  Reply reply;
  reply.body = json::object{{"recordings", std::move(items)},
                            {"total", page.total},
                            {"offset", filter->offset},
                            {"limit", filter->limit}};
  return reply;
}

Outcome<Reply> create_recording(const Services& services, const Call& call) {
  const auto body = parse_object(call.body);
  if (!body) return body.error();
  const auto wanted = read_wanted(*body, services.now_us());
  if (!wanted) return wanted.error();
  const auto created = services.recordings.create(*wanted);
  if (!created) return to_problem(created.error());
  auto reply = shown(services, *created, count_when_creating);
  if (!reply) return reply;
  reply->status = 201;
  reply->location = "/api/v1/recordings/" + created->record.id;
  return reply;
}

Outcome<Reply> show_recording(const Services& services, const Call& call) {
  const auto recording = find(services, call);
  if (!recording) return recording.error();
  return shown(services, *recording, count_when_shown);
}

Outcome<Reply> change_recording(const Services& services, const Call& call) {
  if (const auto known = find(services, call); !known) return known.error();
  const auto body = parse_object(call.body);
  if (!body) return body.error();
  std::vector<FieldError> errors;
  Fields fields(*body, "", errors);
  RecordingChange change;
  change.name = fields.text("name", 0, max_name_bytes);
  change.locked = fields.flag("locked");
  change.keep_until_us = take_retention(fields, errors, services.now_us());
  fields.finish();
  if (!errors.empty()) return wrong_fields(std::move(errors));
  const auto changed = services.recordings.change(call.resource, change);
  if (!changed) return to_problem(changed.error());
  return shown(services, *changed, count_when_shown);
}

Outcome<Reply> delete_recording(const Services& services, const Call& call) {
  if (const auto erased = services.recordings.erase(call.resource); !erased)
    return to_problem(erased.error());
  return Reply{.status = 204, .body = nullptr, .etag = {}, .location = {}};
}

Outcome<Reply> stop_recording(const Services& services, const Call& call) {
  const auto stopped = services.recordings.stop(call.resource);
  if (!stopped) return to_problem(stopped.error());
  return shown(services, *stopped, count_when_shown);
}

}  // namespace lookback::server::api
