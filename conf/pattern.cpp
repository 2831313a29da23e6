#include "conf/pattern.hpp"

#include <algorithm>
#include <vector>

namespace lookback::conf {
namespace {

constexpr std::size_t max_pattern_bytes = 200;  // 3 parts of 64 and 2 slashes fit

bool is_wildcard(char c) { return c == '*' || c == '?'; }
bool is_allowed(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
         c == '_' || c == '/' || is_wildcard(c);
}

}  // namespace

Result<void> check_pattern(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > max_pattern_bytes) return Errc::bad_pattern;
  if (!std::all_of(pattern.begin(), pattern.end(), is_allowed)) return Errc::bad_pattern;
  const bool empty_part =
      pattern.front() == '/' || pattern.back() == '/' || pattern.find("//") != pattern.npos;
  if (empty_part) return Errc::bad_pattern;
  return {};
}

/// Keeps, for each prefix of `stream`, whether the pattern read so far covers exactly that prefix.
bool matches(std::string_view pattern, std::string_view stream) {
  std::vector<char> covers(stream.size() + 1, 0);
  covers[0] = 1;
  while (!pattern.empty()) {
    const char c = pattern.front();
    const bool crosses = pattern.starts_with("**");
    pattern.remove_prefix(crosses ? 2 : 1);
    if (c == '*') {
      for (std::size_t i = 0; i < stream.size(); ++i) {
        if (covers[i] && (crosses || stream[i] != '/')) covers[i + 1] = 1;
      }
      continue;
    }
    for (std::size_t i = stream.size(); i > 0; --i) {
      const char s = stream[i - 1];
      covers[i] = covers[i - 1] && (c == '?' ? s != '/' : c == s);
    }
    covers[0] = 0;
  }
  return covers[stream.size()] != 0;
}

bool is_glob(std::string_view pattern) { return std::ranges::any_of(pattern, is_wildcard); }

std::size_t specificity(std::string_view pattern) {
  const auto wildcards = static_cast<std::size_t>(std::count_if(pattern.begin(), pattern.end(), is_wildcard));
  if (wildcards == 0) return max_pattern_bytes + 1;
  return pattern.size() - wildcards;
}

}  // namespace lookback::conf
