#include "conf/key_path.hpp"

#include <algorithm>

#include "conf/setting.hpp"

namespace lookback::conf {
namespace {

bool is_bare(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

}  // namespace

std::optional<KeyPath> parse_key_path(std::string_view text) {
  KeyPath path;
  for (;;) {
    if (text.starts_with('"') || text.starts_with('\'')) {
      const auto end = text.find(text.front(), 1);
      if (end == std::string_view::npos) return std::nullopt;
      path.emplace_back(text.substr(1, end - 1));
      text.remove_prefix(end + 1);
    } else {
      const auto end = std::find_if_not(text.begin(), text.end(), is_bare);
      const auto size = static_cast<std::size_t>(end - text.begin());
      if (size == 0) return std::nullopt;
      path.emplace_back(text.substr(0, size));
      text.remove_prefix(size);
    }
    if (text.empty()) return path;
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
  }
}

std::string join(const KeyPath& path, std::size_t from) {
  std::string out;
  for (std::size_t i = from; i < path.size(); ++i) {
    if (i > from) out += '.';
    const bool bare = !path[i].empty() && std::all_of(path[i].begin(), path[i].end(), is_bare);
    out += bare ? path[i] : in_quotes(path[i]);
  }
  return out;
}

std::string environment_name(std::string_view key) {
  std::string name = "LOOKBACK_";
  for (const char c : key) {
    if (c == '.')
      name += '_';
    else
      name += (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

}  // namespace lookback::conf
