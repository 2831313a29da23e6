#include "conf/key_lookup.hpp"

#include <algorithm>

namespace lookback::conf {
namespace {

/// The parts that follow `prefix` ("", "replay.") in the names that start with it.
std::vector<std::string> children(const std::string& prefix, const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& name : names) {
    if (!name.starts_with(prefix)) continue;
    const auto part = name.substr(prefix.size(), name.find('.', prefix.size()) - prefix.size());
    if (std::find(out.begin(), out.end(), part) == out.end()) out.push_back(part);
  }
  return out;
}

}  // namespace

Lookup look_up(const KeyPath& path, std::size_t from, const std::vector<std::string>& names) {
  std::string prefix;
  for (std::size_t i = from; i < path.size(); ++i) {
    const auto siblings = children(prefix, names);
    if (std::find(siblings.begin(), siblings.end(), path[i]) == siblings.end()) {
      return {Lookup::Found::unknown, 0, i - from, siblings};
    }
    const auto exact = std::find(names.begin(), names.end(), prefix + path[i]);
    if (exact != names.end() && i + 1 == path.size()) {
      return {Lookup::Found::key, static_cast<std::size_t>(exact - names.begin()), i - from + 1, {}};
    }
    prefix += path[i] + '.';
  }
  return {Lookup::Found::section, 0, path.size() - from, {}};
}

}  // namespace lookback::conf
