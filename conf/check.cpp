#include "conf/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "conf/key_path.hpp"
#include "conf/pattern.hpp"
#include "conf/settings.hpp"
#include "conf/units.hpp"
#include "server/ingest/srt/pull/options.hpp"

namespace lookback::conf {
namespace {

using std::chrono::microseconds;
using Origins = std::map<std::string, std::string, std::less<>>;

/// The keys of a stream as one section sees them.
struct Scope {
  std::string name;     ///< "defaults", `streams."live/a"`
  std::string pattern;  ///< "live/a"; of the defaults: empty
  server::StreamSettings values;
  Origins origins;       ///< of the section's own keys
  const Config& config;  ///< for the keys it inherits

  std::string origin(std::string_view key) const {
    const auto own = origins.find(key);
    return own != origins.end() ? own->second : config.origins.at(fmt::format("defaults.{}", key));
  }
};

std::string source(const std::string& origin) { return origin == "default" ? "the default" : origin; }

/// Complains when `shorter` is longer than `longer`, at the section that said one of them.
void expect_order(const Scope& scope, std::string_view shorter, microseconds shorter_value,
                  std::string_view longer, microseconds longer_value, std::vector<std::string>& problems) {
  if (shorter_value <= longer_value) return;
  const auto own = scope.origins.find(shorter);
  if (own == scope.origins.end() && !scope.origins.contains(longer)) return;  // said elsewhere
  const auto at = own != scope.origins.end() ? shorter : longer;
  const auto other = at == shorter ? longer : shorter;
  problems.push_back(
      fmt::format("{}: {}.{}: {} ({}) must not be longer than {} ({}); change it, or {}, which comes from {}",
                  scope.origin(at), scope.name, at, shorter, format_duration(shorter_value), longer,
                  format_duration(longer_value), other, source(scope.origin(other))));
}

void expect_interval(const Scope& scope, std::string_view key, microseconds value,
                     std::vector<std::string>& problems) {
  const microseconds bound = scope.config.limits.max_interval;
  if (value <= bound || !scope.origins.contains(key)) return;
  problems.push_back(
      fmt::format("{}: {}.{}: {} is above the limit; allowed is 10s to {} (limits.max_interval, which may "
                  "be up to 1h)",
                  scope.origin(key), scope.name, key, format_duration(value), format_duration(bound)));
}

/// A remote listener brings one stream.
void check_pull(const Scope& scope, std::vector<std::string>& problems) {
  const auto own = scope.origins.find("pull");
  if (own == scope.origins.end() || scope.values.pull.empty()) return;
  const auto complain = [&](std::string_view what) {
    problems.push_back(fmt::format("{}: {}.pull: {}", own->second, scope.name, what));
  };
  if (scope.pattern.empty() || is_glob(scope.pattern))
    return complain("belongs to one stream: say it in [streams.\"APP/NAME\"]");
  const auto url = server::srt::parse_pull_url(scope.values.pull);
  if (!url.target) complain(url.complaint);
}

void check_stream(const Scope& scope, std::vector<std::string>& problems) {
  const auto& values = scope.values;
  expect_order(scope, "part", microseconds(values.part_us), "segment", microseconds(values.segment_us),
               problems);
  expect_order(scope, "segment", microseconds(values.segment_us), "max_segment", values.max_segment,
               problems);
  const auto passphrase = scope.origins.find("srt.passphrase");
  if (passphrase != scope.origins.end() && !values.srt_passphrase.empty() &&
      values.srt_passphrase.size() < 10) {
    problems.push_back(fmt::format("{}: {}.srt.passphrase: must have 10 to 79 characters, or none",
                                   passphrase->second, scope.name));
  }
  check_pull(scope, problems);
  expect_interval(scope, "thumbs.interval", values.thumbs.interval, problems);
  expect_interval(scope, "motionclip.interval", values.motionclip.interval, problems);
}

/// A token is guessed when it is short; what is not printable cannot be sent in a header (RFC 6750 2.1).
void check_tokens(const Config& config, std::vector<std::string>& problems) {
  constexpr std::size_t min_characters = 16;
  const std::pair<std::string_view, const std::string*> tokens[] = {
      {"api.token", &config.tokens.admin},
      {"api.operate_token", &config.tokens.operate},
      {"api.read_token", &config.tokens.read},
  };
  for (const auto& [key, token] : tokens) {
    if (token->empty()) continue;
    const auto complain = [&, where = key](std::string_view what) {
      problems.push_back(fmt::format("{}: {}: {}", config.origins.at(std::string(where)), where, what));
    };
    const bool sendable =
        std::all_of(token->begin(), token->end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!sendable) complain("must be printable ASCII without spaces");
    if (token->size() < min_characters)
      complain("must have at least 16 characters; `openssl rand -hex 16` makes a good one");
    const auto same = [&](const auto& other) { return other.first != key && *other.second == *token; };
    if (std::any_of(std::begin(tokens), std::end(tokens), same))
      complain("must differ from the tokens of the other roles");
  }
}

void check_streams(const Config& config, std::vector<std::string>& problems) {
  Scope defaults{"defaults", {}, config.defaults, {}, config};
  for (const auto& setting : stream_settings())
    defaults.origins[setting.name] = defaults.origin(setting.name);
  check_stream(defaults, problems);
  for (const auto& section : config.streams) {
    Scope scope{join({"streams", section.pattern}), section.pattern, config.defaults, {}, config};
    for (const auto& given : section.overrides) {
      given.setting->assign(scope.values, given.value);
      scope.origins[given.setting->name] = given.origin;
    }
    check_stream(scope, problems);
  }
}

}  // namespace

std::vector<std::string> check(const Config& config) {
  std::vector<std::string> problems;
  const auto complain = [&](std::string_view key, std::string_view what) {
    problems.push_back(fmt::format("{}: {}: {}", config.origins.at(std::string(key)), key, what));
  };
  if (config.store.max_size_bytes != 0 && config.store.max_size_bytes < config.store.extent_size_bytes) {
    complain("store.max_size", fmt::format("must be at least store.extent_size ({}), or \"none\"",
                                           format_size(config.store.extent_size_bytes)));
  }
  if (config.rtmp.max_partial_bytes < config.rtmp.max_message_bytes) {
    complain("rtmp.max_partial",
             fmt::format("must be at least rtmp.max_message ({}), or no such message can arrive",
                         format_size(config.rtmp.max_message_bytes)));
  }
  if (config.srt.pull_retry_max < config.srt.pull_retry_min) {
    complain("srt.pull_retry_max", "must not be shorter than srt.pull_retry_min");
  }
  const auto expect_pair = [&](const std::string& section, const auto& files) {
    if (files.certificate.empty() == files.key.empty()) return;
    const bool has_key = files.certificate.empty();
    complain(section + (has_key ? ".key" : ".certificate"),
             fmt::format("needs {}.{} as well", section, has_key ? "certificate" : "key"));
  };
  expect_pair("https", config.https);
  expect_pair("rtmps", config.rtmps);
  check_tokens(config, problems);
  check_streams(config, problems);
  return problems;
}

}  // namespace lookback::conf
