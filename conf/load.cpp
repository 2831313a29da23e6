#include "conf/load.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "conf/loader.hpp"
#include "conf/settings.hpp"

namespace lookback::conf {

std::span<const ShortFlag> short_flags() {
  static constexpr std::array flags{
      ShortFlag{"--http-listen", "http.listen", "address of the HTTP listener, such as :8080 or 127.0.0.1:0"},
      ShortFlag{"--rtmp-listen", "rtmp.listen", "address of the RTMP listener, such as :1935"},
      ShortFlag{"--srt-listen", "srt.listen", "address of the SRT listener, such as :8890"},
      ShortFlag{"--data", "store.path", "folder that holds the media and the index"},
      ShortFlag{"--log-level", "log.level", "trace, debug, info, warning or error"},
  };
  return flags;
}

std::optional<FlagValue> parse_set(std::string_view argument) {
  // A quoted stream name holds no "=": names and globs cannot.
  const auto equals = argument.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  const std::string key(argument.substr(0, equals));
  return FlagValue{key, std::string(argument.substr(equals + 1)), "--set " + key};
}

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

Loaded load(const Sources& sources) {
  Loader loader;
  auto file = sources.file;
  if (!file) {
    const auto& variables = sources.environment;
    const auto named = std::find_if(variables.begin(), variables.end(),
                                    [](const auto& variable) { return variable.first == "LOOKBACK_CONFIG"; });
    if (named != variables.end() && !named->second.empty()) file = named->second;
  }
  if (file) loader.read_file(*file);
  loader.read_environment(sources.environment);
  for (const auto& flag : sources.flags) loader.read_flag(flag);
  return loader.finish();
}

std::vector<std::string> needs_restart(const Config& running, const Config& wanted) {
  std::vector<std::string> keys;
  for (const auto& setting : process_settings()) {
    const bool fixed = !setting.live && setting.absent.empty();
    if (fixed && setting.read(running) != setting.read(wanted)) keys.push_back(setting.name);
  }
  return keys;
}

}  // namespace lookback::conf
