#include "server/ingest/publish_target.hpp"

#include <algorithm>

#include "server/ingest/ingest.hpp"
#include "server/ingest/query_text.hpp"

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

std::string find_key(std::initializer_list<std::string_view> queries) {
  for (const auto query : queries) {
    for (const auto name : {"key", "pass"}) {
      if (const auto value = query_value(query, name); value && !value->empty())
        return percent_decoded(*value);
    }
  }
  return {};
}

bool is_backup(std::initializer_list<std::string_view> queries) {
  return std::ranges::any_of(queries, [](auto query) { return query_value(query, "backup") == "1"; });
}

/// Takes "@RENDITION" off the end.
std::string split_rendition(std::string& stream) {
  const auto mark = stream.rfind('@');
  if (mark == std::string::npos || !is_name_part(std::string_view(stream).substr(mark + 1))) return {};
  auto rendition = stream.substr(mark + 1);
  stream.resize(mark);
  return rendition;
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
  target.rendition = split_rendition(target.stream);
  const auto queries = {in_name.query, in_app.query, split_query(tc_url).query};
  target.key = find_key(queries);
  target.backup = is_backup(queries);
  return target;
}

}  // namespace lookback::server
