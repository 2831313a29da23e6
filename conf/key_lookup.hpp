#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "conf/key_path.hpp"

namespace lookback::conf {

/// What a path means among dotted key names.
struct Lookup {
  enum class Found {
    key,      ///< it is `names[index]`
    section,  ///< it is a proper prefix of some names
    unknown,  ///< its first `known_parts` parts are a section, the next one is wrong
  };
  Found found = Found::unknown;
  std::size_t index = 0;
  std::size_t known_parts = 0;
  std::vector<std::string> siblings;  ///< when unknown: what could stand at the wrong place
};

/// Looks up the parts of `path` from `from` on. `names` are dotted bare keys.
Lookup look_up(const KeyPath& path, std::size_t from, const std::vector<std::string>& names);

}  // namespace lookback::conf
