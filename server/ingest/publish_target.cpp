#include "server/ingest/publish_target.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace lookback::server {
namespace {

struct Split {
  std::string_view path, query;
};

Split split_query(std::string_view text) {
  const auto mark = text.find('?');
  if (mark == std::string_view::npos) return {text, {}};
  return {text.substr(0, mark), text.substr(mark + 1)};
}

std::string_view trim_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

/// RFC 3986 2.1; a percent sign without two hexadecimal digits stays as it is.
std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char value = 0;
    const auto* digits = text.data() + i + 1;
    const bool coded = text[i] == '%' && text.size() - i > 2 &&
                       std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2;
    out.push_back(coded ? static_cast<char>(value) : text[i]);
    if (coded) i += 2;
  }
  return out;
}

std::optional<std::string_view> parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
  }
  return std::nullopt;
}

std::string find_key(std::initializer_list<std::string_view> queries) {
  for (const auto query : queries) {
    for (const auto name : {"key", "pass"}) {
      if (const auto value = parameter(query, name); value && !value->empty()) return percent_decoded(*value);
    }
  }
  return {};
}

bool is_backup(std::initializer_list<std::string_view> queries) {
  return std::ranges::any_of(queries, [](auto query) { return parameter(query, "backup") == "1"; });
}

}  // namespace

PublishTarget parse_publish_target(std::string_view app, std::string_view tc_url, std::string_view name) {
  const auto in_app = split_query(app);
  const auto in_name = split_query(name);
  const auto app_path = trim_slashes(in_app.path);
  const auto name_path = trim_slashes(in_name.path);
  PublishTarget target;
  target.stream.append(app_path);
  if (!app_path.empty() && !name_path.empty()) target.stream.push_back('/');
  target.stream.append(name_path);
  const auto queries = {in_name.query, in_app.query, split_query(tc_url).query};
  target.key = find_key(queries);
  target.backup = is_backup(queries);
  return target;
}

}  // namespace lookback::server
