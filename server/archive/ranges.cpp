#include "server/archive/ranges.hpp"

#include "packager/hls/text.hpp"
#include "server/archive/lead.hpp"
#include "server/archive/time_grammar.hpp"

namespace lookback::server::archive {
namespace {

/// RFC 8259 7. Bytes above ASCII pass as they are: names are UTF-8.
void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append("\\u00");
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

/// `"start":...,"end":...`
void append_span(std::string& out, std::int64_t start_us, std::optional<std::int64_t> end_us) {
  out.append("\"start\":\"").append(time_text(start_us)).append("\",\"end\":");
  if (end_us) {
    out.append(1, '"').append(time_text(*end_us)).append(1, '"');
  } else {
    out.append("null");
  }
}

/// The two lists, grown stretch by stretch.
struct Lists {
  std::string ranges, gaps;

  void range(const packager::hls::Stretch& stretch, bool grows) {
    open(ranges);
    append_span(ranges, stretch.start_us, grows ? std::nullopt : std::optional(stretch.end_us));
    ranges.append(",\"session\":").append(std::to_string(stretch.discontinuity_sequence)).append(1, '}');
  }
  void gap(std::int64_t start_us, std::int64_t end_us, std::string_view reason) {
    open(gaps);
    append_span(gaps, start_us, end_us);
    gaps.append(",\"reason\":\"").append(reason).append("\"}");
  }

 private:
  static void open(std::string& list) { list.append(list.empty() ? "{" : ",{"); }
};

Lists lists_of(const packager::hls::Rendition& lead) {
  constexpr std::int64_t shortest_us = 1'000;  // dates are cut to milliseconds
  Lists lists;
  const packager::hls::Stretch* previous = nullptr;
  const auto& all = lead.stretches();
  for (const auto& stretch : all) {
    if (previous && stretch.start_us - previous->end_us >= shortest_us)
      lists.gap(previous->end_us, stretch.start_us, "no_publisher");
    if (stretch.gap) {
      lists.gap(stretch.start_us, stretch.end_us, "no_media");
    } else {
      lists.range(stretch, &stretch == &all.back() && !lead.ended());
    }
    previous = &stretch;
  }
  return lists;
}

void append_recording(std::string& out, const RecordedRange& recording) {
  out.append("{\"id\":");
  append_string(out, recording.id);
  out.append(",\"name\":");
  append_string(out, recording.name);
  out.append(1, ',');
  append_span(out, recording.start_us, recording.end_us);
  out.append(",\"state\":");
  append_string(out, recording.state);
  out.append(1, '}');
}

}  // namespace

std::string ranges_json(std::string_view stream, const packager::hls::Presentation* presentation,
                        std::span<const RecordedRange> recordings) {
  const auto lists = presentation ? lists_of(lead_of(*presentation)) : Lists{};
  std::string out = "{\"stream\":";
  append_string(out, stream);
  out.append(",\"ranges\":[").append(lists.ranges);
  out.append("],\"gaps\":[").append(lists.gaps);
  out.append("],\"recordings\":[");
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    if (i > 0) out.append(1, ',');
    append_recording(out, recordings[i]);
  }
  return out.append("]}\n");
}

}  // namespace lookback::server::archive
