#include <map>
#include <string>

#include "server/api/query.hpp"
#include "server/api/routes.hpp"
#include "server/api/views.hpp"

namespace lookback::server::api {
namespace {

json::object pictures_json(const pictures::JobCounts& counts) {
  json::object skipped;
  for (std::size_t i = 0; i < pictures::purposes; ++i)
    skipped[pictures::name_of(static_cast<pictures::Purpose>(i))] = counts.skipped[i];
  return {{"done", counts.done},           {"failed", counts.failed},   {"crashed", counts.crashed},
          {"timed_out", counts.timed_out}, {"waiting", counts.waiting}, {"running", counts.running},
          {"skipped", std::move(skipped)}};
}

}  // namespace

Outcome<Reply> show_storage(const Services& services, const Call& call) {
  auto query = Query::parse(call.query);
  if (!query) return query.error();
  const auto page = take_page(*query);
  if (!page) return page.error();
  if (const auto finished = query->finish(); !finished) return finished.error();
  const auto usage = services.store.usage();
  std::map<store::StreamId, std::string> names;
  for (auto& stream : services.store.streams()) names[stream.id] = std::move(stream.name);
  json::array streams;
  for (auto i = page->offset; i < usage.streams.size() && streams.size() < page->limit; ++i) {
    const auto& stream = usage.streams[i];
    streams.push_back(
        {{"name", names[stream.stream]}, {"bytes", stream.bytes}, {"recorded_bytes", stream.recorded_bytes}});
  }
  RecordingFilter none;
  none.limit = 0;
  json::object body{{"bytes", usage.bytes},
                    {"recorded_bytes", usage.recorded_bytes},
                    {"free_bytes", usage.free_bytes},
                    {"reserve_bytes", usage.reserve_bytes},
                    {"written_per_second", usage.written_per_s},
                    {"removed_per_second", usage.removed_per_s},
                    {"is_short", usage.is_short},
                    {"damaged_segments", usage.damaged_segments},
                    {"recordings", services.recordings.list(none).total},
                    {"pictures", pictures_json(services.picture_counts())},
                    {"streams", std::move(streams)},
                    {"total", usage.streams.size()},
                    {"offset", page->offset},
                    {"limit", page->limit}};
  body["max_size_bytes"] =
      usage.max_size_bytes == 0 ? json::value(nullptr) : json::value(usage.max_size_bytes);
  const auto left = usage.seconds_left();
  body["days_left"] = left ? json::value(static_cast<double>(*left) / 86'400) : json::value(nullptr);
  Reply reply;
  reply.body = std::move(body);
  return reply;
}

Outcome<Reply> reload_config(const Services& services, const Call&) {
  if (!services.reload())
    return Problem{409, "the configuration has mistakes, which the log names; the old one stays in force"};
  Reply reply;
  reply.body = json::object{{"reloaded", true}};
  return reply;
}

}  // namespace lookback::server::api
