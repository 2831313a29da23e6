#include "server/cli/store_report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "server/cli/json_text.hpp"
#include "server/cli/progress_line.hpp"

namespace lookback::server {
namespace {

std::string date_text(std::int64_t us) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(us / 1'000'000), us / 1'000 % 1'000);
}

const char* name_of(store::Finding::Kind kind) {
  switch (kind) {
    case store::Finding::Kind::index:
      return "index";
    case store::Finding::Kind::extent:
      return "extent";
    case store::Finding::Kind::segment:
      return "segment";
    case store::Finding::Kind::sheet:
      return "sheet";
    case store::Finding::Kind::block:
      return "block";
  }
  return "";
}

std::string json_of(const store::Finding& finding) {
  JsonObject out;
  out.text("kind", name_of(finding.kind)).text("what", finding.what);
  if (!finding.stream.empty()) out.text("stream", finding.stream);
  if (!finding.track.empty()) out.text("track", finding.track);
  if (finding.msn) out.number("msn", *finding.msn);
  if (!finding.recordings.empty())
    out.list("recordings", finding.recordings, [](const auto& id) { return json_text(id); });
  if (!finding.track.empty() && finding.msn)
    out.text("url", fmt::format("/{}/{}-{}-{}.m4s", finding.stream, finding.track, finding.generation,
                                *finding.msn));
  if (finding.extent != 0) {
    out.text("extent", fmt::format("{:016x}.ext", finding.extent)).number("offset", finding.offset);
    out.number("size", finding.size_bytes);
  }
  return out.take();
}

std::string json_of(const store::Stretch& stretch) {
  return JsonObject()
      .number("first_msn", stretch.first_msn)
      .number("last_msn", stretch.last_msn)
      .number("start_us", stretch.start_pdt_us)
      .number("end_us", stretch.end_pdt_us)
      .number("bytes", stretch.size_bytes)
      .take();
}

/// What all tracks of a stream add up to.
struct Sum {
  std::uint64_t segments = 0, gaps = 0, bytes = 0;
  std::int64_t start_us = INT64_MAX, end_us = INT64_MIN;
  bool has_media() const { return start_us <= end_us; }
};

Sum sum_of(const store::StreamSurvey& stream) {
  Sum sum;
  for (const auto& track : stream.tracks) {
    sum.segments += track.segments;
    sum.gaps += track.gaps;
    sum.bytes += track.size_bytes;
    if (track.stretches.empty()) continue;
    sum.start_us = std::min(sum.start_us, track.stretches.front().start_pdt_us);
    sum.end_us = std::max(sum.end_us, track.stretches.back().end_pdt_us);
  }
  return sum;
}

std::string window_text(const Sum& sum) {
  if (!sum.has_media()) return "no media";
  return fmt::format("{} to {} ({})", date_text(sum.start_us), date_text(sum.end_us),
                     time_text(std::chrono::seconds((sum.end_us - sum.start_us) / 1'000'000)));
}

JsonObject head_json(const store::StreamSurvey& stream) {
  const auto sum = sum_of(stream);
  JsonObject out;
  out.text("name", stream.stream.name).text("generation", stream.stream.generation);
  out.number("segments", sum.segments).number("gaps", sum.gaps).number("bytes", sum.bytes);
  out.number("sheets", stream.sheets).number("sheet_bytes", stream.sheet_bytes);
  if (sum.has_media()) out.number("start_us", sum.start_us).number("end_us", sum.end_us);
  return out;
}

std::string json_of(const store::TrackSurvey& track) {
  return JsonObject()
      .text("name", track.track.name)
      .number("timescale", track.track.timescale)
      .number("segments", track.segments)
      .number("gaps", track.gaps)
      .number("bytes", track.size_bytes)
      .list("stretches", track.stretches, [](const auto& stretch) { return json_of(stretch); })
      .take();
}

std::string streams_text(const store::Survey& survey) {
  std::string out;
  for (const auto& stream : survey.streams) {
    const auto sum = sum_of(stream);
    const auto sheets = stream.sheets == 0
                            ? std::string()
                            : fmt::format(", {} in {} sheets", size_text(stream.sheet_bytes), stream.sheets);
    out += fmt::format("{}  {}  {} in {} segments, {} gaps{}  {}\n", stream.stream.name,
                       stream.stream.generation, size_text(sum.bytes), sum.segments - sum.gaps, sum.gaps,
                       sheets, window_text(sum));
  }
  return out;
}

const char* state_of(const store::RecordingRecord& recording) {
  if (recording.first_msn == store::RecordingRecord::open) return "scheduled";
  return recording.ended ? "ended" : "growing";
}

std::string recordings_text(const store::Survey& survey) {
  std::string out;
  for (const auto& [recording, stream, segments, gaps, bytes] : survey.recordings) {
    out += fmt::format("{}  {}  {} in {} segments, {} gaps  from {}, {}{}  {}\n", recording.id, stream,
                       size_text(bytes), segments - gaps, gaps, date_text(recording.start_us),
                       state_of(recording), recording.locked ? ", locked" : "", recording.name);
  }
  return out;
}

std::string json_of(const store::RecordingSurvey& each) {
  return JsonObject()
      .text("id", each.recording.id)
      .text("name", each.recording.name)
      .text("stream", each.stream)
      .text("state", state_of(each.recording))
      .flag("locked", each.recording.locked)
      .number("start_us", each.recording.start_us)
      .number("segments", each.segments)
      .number("gaps", each.gaps)
      .number("bytes", each.size_bytes)
      .take();
}

std::string stretches_text(const store::StreamSurvey& stream) {
  std::string out;
  for (const auto& track : stream.tracks) {
    for (const auto& stretch : track.stretches) {
      out +=
          fmt::format("{}  {} to {}  {}-{}-{} to {}  {}\n", track.track.name, date_text(stretch.start_pdt_us),
                      date_text(stretch.end_pdt_us), track.track.name, stream.stream.generation,
                      stretch.first_msn, stretch.last_msn, size_text(stretch.size_bytes));
    }
  }
  return out;
}

const store::StreamSurvey* find(const store::Survey& survey, const std::string& name) {
  const auto found =
      std::ranges::find(survey.streams, name, [](const auto& stream) { return stream.stream.name; });
  return found == survey.streams.end() ? nullptr : &*found;
}

}  // namespace

std::string to_text(const store::VerifyReport& report) {
  std::string out;
  for (const auto& finding : report.findings) out += store::describe(finding) + "\n";
  if (report.damaged > report.findings.size())
    out += fmt::format("and {} more\n", report.damaged - report.findings.size());
  for (const auto& note : report.notes) out += "note: " + note + "\n";
  out +=
      fmt::format("{} streams, {} recordings, {} extents, {} segments, {} gaps, {} sheets; {} read in {}: ",
                  report.streams, report.recordings, report.extents, report.segments - report.gaps,
                  report.gaps, report.sheets, size_text(report.bytes),
                  time_text(std::chrono::duration_cast<std::chrono::seconds>(report.elapsed)));
  return out + (report.damaged == 0 ? "all good\n" : fmt::format("{} damaged\n", report.damaged));
}

std::string to_json(const store::VerifyReport& report) {
  return JsonObject()
             .number("damaged", report.damaged)
             .number("streams", report.streams)
             .number("recordings", report.recordings)
             .number("extents", report.extents)
             .number("segments", report.segments)
             .number("gaps", report.gaps)
             .number("sheets", report.sheets)
             .number("bytes", report.bytes)
             .number("elapsed_ms", report.elapsed.count())
             .list("findings", report.findings, [](const auto& finding) { return json_of(finding); })
             .list("notes", report.notes, [](const auto& note) { return json_text(note); })
             .take() +
         "\n";
}

std::string to_text(const store::RepairReport& report) {
  auto out = fmt::format(
      "the index is made anew: {} streams, {} tracks, {} extents, {} segments, {} gaps ({} of them "
      "damaged segments), {} recordings, {} sheets; {} read in {}\n",
      report.streams, report.tracks, report.extents, report.segments, report.gaps, report.segments_damaged,
      report.recordings, report.sheets, size_text(report.bytes),
      time_text(std::chrono::duration_cast<std::chrono::seconds>(report.elapsed)));
  if (report.extents_unusable != 0)
    out += fmt::format("{} extents could not be read and are kept under another name\n",
                       report.extents_unusable);
  if (!report.old_index.empty())
    out += "the old index is kept: " + report.old_index.string() + " (remove it when all is well)\n";
  return out;
}

std::string to_json(const store::RepairReport& report) {
  return JsonObject()
             .number("streams", report.streams)
             .number("tracks", report.tracks)
             .number("inits", report.inits)
             .number("extents", report.extents)
             .number("extents_unusable", report.extents_unusable)
             .number("headers_mended", report.headers_mended)
             .number("segments", report.segments)
             .number("gaps", report.gaps)
             .number("segments_damaged", report.segments_damaged)
             .number("recordings", report.recordings)
             .number("sheets", report.sheets)
             .number("bytes", report.bytes)
             .number("elapsed_ms", report.elapsed.count())
             .text("old_index", report.old_index.string())
             .take() +
         "\n";
}

std::string stat_text(const store::Survey& survey) {
  auto out = fmt::format(
      "media       {} in {} extents\nindex       {}\nstreams     {}\nrecordings  {}\nstopped     {}\n\n",
      size_text(survey.extent_bytes), survey.extents, size_text(survey.index_bytes), survey.streams.size(),
      survey.recordings.size(),
      survey.stopped_clean ? "clean" : "by a crash: the next start mends what it left");
  out += streams_text(survey);
  if (!survey.recordings.empty()) out += "\n" + recordings_text(survey);
  return out;
}

std::string stat_json(const store::Survey& survey) {
  return JsonObject()
             .number("media_bytes", survey.extent_bytes)
             .number("extents", survey.extents)
             .number("index_bytes", survey.index_bytes)
             .flag("stopped_clean", survey.stopped_clean)
             .list("streams", survey.streams, [](const auto& stream) { return head_json(stream).take(); })
             .list("recordings", survey.recordings, [](const auto& each) { return json_of(each); })
             .take() +
         "\n";
}

std::optional<std::string> list_text(const store::Survey& survey, const std::string& stream) {
  if (stream.empty()) return streams_text(survey);
  const auto* found = find(survey, stream);
  return found ? std::optional(stretches_text(*found)) : std::nullopt;
}

std::optional<std::string> list_json(const store::Survey& survey, const std::string& stream) {
  if (stream.empty()) {
    return JsonObject()
               .list("streams", survey.streams, [](const auto& s) { return head_json(s).take(); })
               .take() +
           "\n";
  }
  const auto* found = find(survey, stream);
  if (!found) return std::nullopt;
  return head_json(*found)
             .list("tracks", found->tracks, [](const auto& track) { return json_of(track); })
             .take() +
         "\n";
}

}  // namespace lookback::server
