#pragma once
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/load.hpp"

namespace conf_test {

/// A configuration file in a folder of its own that goes with the object.
class ConfigFile {
 public:
  explicit ConfigFile(std::string_view text) {
    std::string name = (std::filesystem::temp_directory_path() / "lookback-conf-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::ofstream(path()) << text;
  }
  ~ConfigFile() { std::filesystem::remove_all(folder_); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  std::filesystem::path path() const { return folder_ / "test.toml"; }
  /// "…/test.toml:LINE:COLUMN": how messages and origins name a place in the file.
  std::string at(int line, int column = 1) const {
    return path().string() + ':' + std::to_string(line) + ':' + std::to_string(column);
  }

 private:
  std::filesystem::path folder_;
};

using Environment = std::vector<std::pair<std::string, std::string>>;

inline lookback::conf::Loaded load_file(const ConfigFile& file, Environment environment = {},
                                        std::vector<lookback::conf::FlagValue> flags = {}) {
  return lookback::conf::load({file.path(), std::move(environment), std::move(flags)});
}

}  // namespace conf_test
