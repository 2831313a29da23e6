#include "conf/print.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "conf/key_path.hpp"
#include "conf/settings.hpp"

namespace lookback::conf {
namespace {

constexpr std::string_view hidden = "(set, not shown)";

/// One effective value. For a secret, `value` is not the value.
struct Line {
  KeyPath section;  ///< {"http"}, {"streams", "live/a"}
  std::string key;  ///< within the section: "listen", "replay.duration"
  std::string value;
  std::string origin;
  std::string_view absent;
  bool secret = false;
};

template <class Target>
Line line(KeyPath section, std::string key, const Setting<Target>& setting, const Value& value,
          std::string origin) {
  Line out{std::move(section), std::move(key), show(setting.type, value),
           std::move(origin),  setting.absent, setting.secret};
  if (setting.secret && out.value != "\"\"") out.value = in_quotes(hidden);
  return out;
}

std::vector<Line> lines(const Config& config) {
  std::vector<Line> out;
  for (const auto& setting : process_settings()) {
    const auto dot = setting.name.find('.');
    out.push_back(line({setting.name.substr(0, dot)}, setting.name.substr(dot + 1), setting,
                       setting.read(config), config.origins.at(setting.name)));
  }
  for (const auto& setting : stream_settings()) {
    out.push_back(line({"defaults"}, setting.name, setting, setting.read(config.defaults),
                       config.origins.at("defaults." + setting.name)));
  }
  for (const auto& section : config.streams) {
    std::map<std::string_view, const StreamSection::Override*> last;
    for (const auto& given : section.overrides) last[given.setting->name] = &given;
    for (const auto& [name, given] : last) {
      out.push_back(line({"streams", section.pattern}, std::string(name), *given->setting, given->value,
                         given->origin));
    }
  }
  return out;
}

}  // namespace

std::string print_toml(const Config& config) {
  std::string out;
  KeyPath section;
  for (const auto& entry : lines(config)) {
    if (entry.section != section) {
      fmt::format_to(std::back_inserter(out), "{}[{}]\n", out.empty() ? "" : "\n", join(entry.section));
      section = entry.section;
    }
    const bool concealed = entry.secret && entry.value != "\"\"";
    fmt::format_to(std::back_inserter(out), "{}{} = {}  # {}{}{}\n", concealed ? "# " : "", entry.key,
                   entry.value, entry.origin, entry.absent.empty() ? "" : "; ", entry.absent);
  }
  return out;
}

std::string print_json(const Config& config) {
  std::string out = "{\"settings\":[";
  bool first = true;
  for (const auto& entry : lines(config)) {
    fmt::format_to(std::back_inserter(out), R"({}{{"key":{},"value":{},"origin":{}}})", first ? "" : ",",
                   in_quotes(join(entry.section) + '.' + entry.key), entry.value, in_quotes(entry.origin));
    first = false;
  }
  return out += "]}\n";
}

}  // namespace lookback::conf
