#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/config.hpp"

namespace lookback::conf {

/// A flag that is short for `--set key=value`.
struct ShortFlag {
  std::string_view flag;  ///< "--http-listen"
  std::string_view key;   ///< "http.listen"
  std::string_view help;
};
std::span<const ShortFlag> short_flags();

/// A value given on the command line.
struct FlagValue {
  std::string key;    ///< "http.listen", "defaults.part", "streams.\"live/news\".part"
  std::string value;  ///< as in the file, without the quotes
  std::string flag;   ///< as the operator typed it, for messages: "--http-listen"
};

/// Splits the argument of `--set`: "http.listen=:80". Empty when there is no "=" after a key.
std::optional<FlagValue> parse_set(std::string_view argument);

/// Where settings come from; a later one replaces an earlier one: file, environment, flags.
struct Sources {
  std::optional<std::filesystem::path> file;  ///< none: LOOKBACK_CONFIG, else no file at all
  std::vector<std::pair<std::string, std::string>>
      environment;  ///< all variables; only LOOKBACK_* are looked at
  std::vector<FlagValue> flags;
};

/// The variables of this process.
std::vector<std::pair<std::string, std::string>> process_environment();

struct Loaded {
  std::shared_ptr<const Config> config;  ///< null when there are problems
  std::vector<std::string> problems;  ///< one line each, with where and what to do; the caller exits with 2
  std::vector<std::string> warnings;  ///< settings that this build accepts, but has no use for
};

/// Reads everything, checks everything and reports every mistake. Reads files, so not for a network thread;
/// otherwise thread-safe.
Loaded load(const Sources& sources);

/// Keys whose value differs and that a running server cannot change: "http.listen". Empty: a reload is
/// complete.
std::vector<std::string> needs_restart(const Config& running, const Config& wanted);

}  // namespace lookback::conf
