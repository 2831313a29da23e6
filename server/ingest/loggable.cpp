#include "server/ingest/loggable.hpp"

#include <algorithm>

namespace lookback::server {
namespace {

constexpr std::size_t max_name_bytes = 3 * 64 + 2;

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-' || c == '/';
}

}  // namespace

std::string loggable(std::string_view text, std::size_t max_bytes) {
  std::string out(text.substr(0, max_bytes));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > max_bytes) out += "...";
  return out;
}

std::string loggable_stream(std::string_view name) {
  const auto end = std::ranges::find_if_not(name, name_character) - name.begin();
  const auto shown = std::min(static_cast<std::size_t>(end), max_name_bytes);
  std::string out(name.substr(0, shown));
  if (shown < name.size()) out += "...";
  return out;
}

}  // namespace lookback::server
