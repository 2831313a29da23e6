#include "tests/support/playlist_syntax.hpp"

#include <algorithm>
#include <array>

namespace lookback::support {
namespace {

constexpr std::array attribute_tags = {std::string_view("EXT-X-MEDIA"),
                                       std::string_view("EXT-X-STREAM-INF"),
                                       std::string_view("EXT-X-I-FRAME-STREAM-INF"),
                                       std::string_view("EXT-X-SESSION-DATA"),
                                       std::string_view("EXT-X-SESSION-KEY"),
                                       std::string_view("EXT-X-START"),
                                       std::string_view("EXT-X-DEFINE"),
                                       std::string_view("EXT-X-PART-INF"),
                                       std::string_view("EXT-X-SERVER-CONTROL"),
                                       std::string_view("EXT-X-KEY"),
                                       std::string_view("EXT-X-MAP"),
                                       std::string_view("EXT-X-PART"),
                                       std::string_view("EXT-X-DATERANGE"),
                                       std::string_view("EXT-X-SKIP"),
                                       std::string_view("EXT-X-PRELOAD-HINT"),
                                       std::string_view("EXT-X-RENDITION-REPORT"),
                                       std::string_view("EXT-X-CONTENT-STEERING"),
                                       std::string_view("EXT-X-IMAGE-STREAM-INF"),
                                       std::string_view("EXT-X-TILES")};

bool is_name_character(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; }

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80         ? 1
                               : (lead >> 5) == 6  ? 2
                               : (lead >> 4) == 14 ? 3
                               : (lead >> 3) == 30 ? 4
                                                   : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) >> 6) != 2) return false;
    }
    i += length;
  }
  return true;
}

/// Enumerated strings, numbers, hexadecimal and resolutions: no quotes, commas or white space.
bool is_plain_value(std::string_view value) {
  return !value.empty() &&
         std::ranges::none_of(value, [](char c) { return c == '"' || c == ',' || c == ' ' || c == '\t'; });
}

Line read_line(std::string_view text, std::size_t number, std::vector<std::string>& errors) {
  Line line{.number = number, .is_tag = text.starts_with("#EXT"), .tag = {}, .uri = {}};
  if (!line.is_tag) {
    line.uri = text;
    return line;
  }
  const auto colon = text.find(':');
  line.tag.name = text.substr(1, colon == std::string_view::npos ? colon : colon - 1);
  if (colon != std::string_view::npos) line.tag.value = text.substr(colon + 1);
  if (has_attribute_list(line.tag.name)) {
    std::string error;
    line.tag.attributes = parse_attributes(line.tag.value, error);
    if (!error.empty())
      errors.push_back("rule 1: line " + std::to_string(number) + ": " + line.tag.name + ": " + error);
  }
  return line;
}

}  // namespace

bool has_attribute_list(std::string_view tag) {
  return std::ranges::find(attribute_tags, tag) != attribute_tags.end();
}

AttributeList parse_attributes(std::string_view list, std::string& error) {
  AttributeList out;
  std::size_t at = 0;
  while (error.empty()) {
    const auto equals = list.find('=', at);
    const auto name = list.substr(at, equals == std::string_view::npos ? equals : equals - at);
    if (equals == std::string_view::npos || name.empty() || !std::ranges::all_of(name, is_name_character)) {
      error = "no attribute name at '" + std::string(list.substr(at)) + "'";
      break;
    }
    at = equals + 1;
    AttributeList::Value value;
    value.quoted = at < list.size() && list[at] == '"';
    const auto end = value.quoted ? list.find('"', at + 1) : std::min(list.find(',', at), list.size());
    if (end == std::string_view::npos) {
      error = "unterminated quoted string";
      break;
    }
    value.text = value.quoted ? list.substr(at + 1, end - at - 1) : list.substr(at, end - at);
    if (!value.quoted && !is_plain_value(value.text)) error = "bad value of " + std::string(name);
    if (!out.values.emplace(name, value).second) error = std::string(name) + " appears twice";
    at = end + (value.quoted ? 1 : 0);
    if (at == list.size()) break;
    if (list[at++] != ',') error = "no comma after " + std::string(name);
  }
  return out;
}

std::vector<Line> read_lines(std::string_view text, std::vector<std::string>& errors) {
  if (text.starts_with("\xEF\xBB\xBF")) errors.push_back("rule 1: byte order mark");
  if (!is_utf8(text)) errors.push_back("rule 1: not UTF-8");
  if (!text.starts_with("#EXTM3U\n") && !text.starts_with("#EXTM3U\r\n"))
    errors.push_back("rule 1: no #EXTM3U first");
  if (!text.ends_with('\n')) errors.push_back("rule 22: the last line is not complete");

  std::vector<Line> lines;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
      errors.push_back("rule 1: line " + std::to_string(number) + ": control character");
    }
    if (line.empty() || (line.starts_with('#') && !line.starts_with("#EXT"))) continue;
    if (line == "#EXTM3U") {
      if (number != 1) errors.push_back("rule 1: #EXTM3U again in line " + std::to_string(number));
      continue;
    }
    lines.push_back(read_line(line, number, errors));
  }
  return lines;
}

}  // namespace lookback::support
