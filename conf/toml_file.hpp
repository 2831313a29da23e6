#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "conf/setting.hpp"

namespace lookback::conf {

/// One key of a TOML document, flattened: `[streams."live/a"]`, `replay = { enabled = true }` gives the path
/// {"streams", "live/a", "replay", "enabled"}. A table gives an entry of its own, before what it holds.
struct TomlEntry {
  std::vector<std::string> path;
  bool is_table = false;
  Raw raw;            ///< when it is no table
  std::string where;  ///< "lookback.toml:12:1": the key
  unsigned line = 0, column = 0;
};

struct TomlFile {
  std::vector<TomlEntry> entries;     ///< in the order of the document
  std::vector<std::string> problems;  ///< not empty: the document could not be read; complete sentences
};

/// Reads and parses a file of at most 1 MiB.
TomlFile read_toml(const std::filesystem::path& file);
/// Parses `text`; `name` is used in `where` and in problems.
TomlFile parse_toml(std::string_view text, const std::string& name);

}  // namespace lookback::conf
