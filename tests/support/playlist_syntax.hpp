#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/playlist.hpp"

/// The lower half of the playlist parser: lines, tags and attribute lists (rfc8216bis 4.1, 4.2).
namespace lookback::support {

struct Line {
  std::size_t number = 0;
  bool is_tag = false;
  Tag tag;
  std::string uri;
};

/// Lines without comments and blanks. Problems (no #EXTM3U first, a BOM, CR alone, control characters, text
/// that is no UTF-8, malformed attribute lists) are appended to `errors`.
std::vector<Line> read_lines(std::string_view text, std::vector<std::string>& errors);

/// Parses `list`; `error` says what is wrong with it, and stays empty for a good one.
AttributeList parse_attributes(std::string_view list, std::string& error);

/// Whether the tag named so carries an attribute list.
bool has_attribute_list(std::string_view tag);

}  // namespace lookback::support
