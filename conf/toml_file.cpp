#include "conf/toml_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <tuple>

namespace lookback::conf {
namespace {

constexpr std::size_t max_file_bytes = 1u << 20;

Raw raw_list(const toml::array& array) {
  std::vector<std::string> texts;
  for (const auto& item : array) {
    const auto* text = item.as_string();
    if (text == nullptr) return Other{"a list of something else than texts"};
    texts.push_back(text->get());
  }
  return texts;
}

Raw raw_value(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::boolean:
      return node.as_boolean()->get();
    case toml::node_type::integer:
      return node.as_integer()->get();
    case toml::node_type::floating_point:
      return node.as_floating_point()->get();
    case toml::node_type::string:
      return node.as_string()->get();
    case toml::node_type::array:
      return raw_list(*node.as_array());
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return Other{"a date or time"};
    default:
      return Other{"a section"};
  }
}

/// Recursion is as deep as the document, which the parser bounds (256 levels).
void flatten(const toml::table& table, const std::string& name, std::vector<std::string>& path,
             std::vector<TomlEntry>& entries) {
  for (const auto& [key, node] : table) {
    path.emplace_back(key.str());
    TomlEntry entry{.path = path, .is_table = node.is_table(), .raw = false, .where = {}};
    entry.line = key.source().begin.line;
    entry.column = key.source().begin.column;
    entry.where = fmt::format("{}:{}:{}", name, entry.line, entry.column);
    if (!entry.is_table) entry.raw = raw_value(node);
    entries.push_back(std::move(entry));
    if (node.is_table()) flatten(*node.as_table(), name, path, entries);
    path.pop_back();
  }
}

}  // namespace

TomlFile parse_toml(std::string_view text, const std::string& name) {
  TomlFile file;
  try {
    const toml::table table = toml::parse(text, name);
    std::vector<std::string> path;
    flatten(table, name, path, file.entries);
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    file.problems.push_back(fmt::format("{}:{}:{}: {}", name, at.line, at.column, error.description()));
    return file;
  }
  const auto before = [](const TomlEntry& a, const TomlEntry& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  };
  std::stable_sort(file.entries.begin(), file.entries.end(), before);
  return file;
}

TomlFile read_toml(const std::filesystem::path& path) {
  const auto name = path.string();
  const auto unreadable = [&](std::string_view why) {
    return TomlFile{{}, {fmt::format("{}: cannot be read: {}", name, why)}};
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return unreadable("it is a directory");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return unreadable(std::strerror(errno));
  std::string text(max_file_bytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return unreadable(std::strerror(errno));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > max_file_bytes) return unreadable("it is larger than 1 MiB");
  return parse_toml(text, name);
}

}  // namespace lookback::conf
