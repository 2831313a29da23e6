#include <algorithm>
#include <array>
#include <string_view>

#include "server/ingest/ingest.hpp"

namespace lookback::server {
namespace {

constexpr std::size_t max_parts = 3;
constexpr std::size_t max_part_bytes = 64;

/// First path segments that the HTTP server uses itself.
constexpr std::array<std::string_view, 13> reserved = {
    "api",     "assets",       "console", "docs",       "embed", "favicon.ico", "livez",
    "metrics", "openapi.json", "readyz",  "robots.txt", "vod",   "watch"};

bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

bool is_name_part(std::string_view text) {
  return !text.empty() && text.size() <= max_part_bytes && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), allowed);
}

Result<void> check_stream_name(std::string_view name) {
  const auto first = name.substr(0, name.find('/'));
  for (std::size_t parts = 1;; ++parts) {
    const auto slash = name.find('/');
    if (parts > max_parts || !is_name_part(name.substr(0, slash))) return Errc::bad_stream_name;
    if (slash == std::string_view::npos) break;
    name.remove_prefix(slash + 1);
  }
  if (std::find(reserved.begin(), reserved.end(), first) != reserved.end()) return Errc::reserved_stream_name;
  return {};
}

}  // namespace lookback::server
