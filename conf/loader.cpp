#include "conf/loader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "conf/check.hpp"
#include "conf/nearest.hpp"
#include "conf/pattern.hpp"
#include "conf/settings.hpp"
#include "conf/toml_file.hpp"

namespace lookback::conf {
namespace {

constexpr std::string_view own_prefix = "LOOKBACK_";
constexpr std::string_view config_variable = "LOOKBACK_CONFIG";
constexpr std::size_t max_sections = 10'000;

std::string_view leaf_of(std::string_view name) { return name.substr(name.rfind('.') + 1); }
std::string section_of(const std::string& name) { return name.substr(0, name.find('.')); }

}  // namespace

Loader::Loader() {
  for (const auto& setting : process_settings()) {
    process_names_.push_back(setting.name);
    config_.origins[setting.name] = "default";
  }
  for (const auto& setting : stream_settings()) stream_names_.push_back(setting.name);
  all_names_ = process_names_;
  for (const auto& name : stream_names_) {
    all_names_.push_back("defaults." + name);
    config_.origins["defaults." + name] = "default";
  }
}

void Loader::read_file(const std::filesystem::path& file) {
  auto document = read_toml(file);
  problems_.insert(problems_.end(), document.problems.begin(), document.problems.end());
  for (auto& entry : document.entries) {
    take({std::move(entry.path), std::move(entry.where), entry.is_table,
          [raw = std::move(entry.raw)](const Type&) { return raw; }});
  }
}

void Loader::read_environment(std::vector<std::pair<std::string, std::string>> variables) {
  std::sort(variables.begin(), variables.end());
  for (const auto& [name, text] : variables) {
    if (!name.starts_with(own_prefix) || name == config_variable) continue;
    const auto key = std::find_if(all_names_.begin(), all_names_.end(),
                                  [&name](const auto& known) { return environment_name(known) == name; });
    if (key == all_names_.end()) {
      unknown_variable(name);
      continue;
    }
    take({parse_key_path(*key).value(), name, false,
          [&text](const Type& type) { return raw_from_text(type, text); }});
  }
}

void Loader::read_flag(const FlagValue& flag) {
  auto path = parse_key_path(flag.key);
  if (!path) {
    problem(flag.flag, fmt::format("{} is not a key; write SECTION.KEY=VALUE", in_quotes(flag.key)));
    return;
  }
  take({std::move(*path), flag.flag, false,
        [&flag](const Type& type) { return raw_from_text(type, flag.value); }});
}

void Loader::take(const Given& given) {
  if (inside_reported(given.path)) return;
  if (given.path.front() == "defaults")
    take_default(given);
  else if (given.path.front() == "streams")
    take_stream(given);
  else
    take_process(given);
}

void Loader::take_process(const Given& given) {
  const auto* setting = find(given, 0, process_names_, process_settings());
  if (setting == nullptr) return;
  const auto value = value_of(given, *setting);
  if (!value) return;
  setting->assign(config_, *value);
  config_.origins[setting->name] = given.where;
  if (!setting->absent.empty()) unused_.push_back({given.where, setting->name, setting->absent, {}, {}});
}

void Loader::take_default(const Given& given) {
  const auto* setting = find(given, 1, stream_names_, stream_settings());
  if (setting == nullptr) return;
  const auto value = value_of(given, *setting);
  if (!value) return;
  setting->assign(config_.defaults, *value);
  config_.origins["defaults." + setting->name] = given.where;
  if (!setting->absent.empty()) {
    unused_.push_back({given.where, join(given.path), setting->absent, {}, section_of(setting->name)});
  }
}

void Loader::take_stream(const Given& given) {
  if (given.path.size() < 3 && !given.is_section) {
    problem(given.where, "streams holds sections: write [streams.\"NAME\"] above the stream's keys");
    return;
  }
  if (given.path.size() == 1) return;
  auto* into = section(given);
  if (into == nullptr || given.path.size() == 2) return;
  const auto* setting = find(given, 2, stream_names_, stream_settings());
  if (setting == nullptr) return;
  auto value = value_of(given, *setting);
  if (!value) return;
  into->overrides.push_back({setting, std::move(*value), given.where});
  if (!setting->absent.empty()) {
    unused_.push_back(
        {given.where, join(given.path), setting->absent, into->pattern, section_of(setting->name)});
  }
}

/// The section for the pattern at the second place of the path, made when there is none. Null: reported.
StreamSection* Loader::section(const Given& given) {
  const auto& pattern = given.path[1];
  auto& list = config_.streams;
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& s) { return s.pattern == pattern; });
  if (found != list.end()) return &*found;
  const auto checked = check_pattern(pattern);
  if (!checked) {
    reported_.insert({"streams", pattern});
    problem(given.where,
            fmt::format("streams.{}: {} {}; write a name such as \"live/news\" or a glob such as "
                        "\"live/*\"",
                        in_quotes(pattern), in_quotes(pattern), checked.error().message()));
    return nullptr;
  }
  if (list.size() >= max_sections) {
    reported_.insert({"streams"});
    problem(given.where, fmt::format("more than {} sections below streams; use globs", max_sections));
    return nullptr;
  }
  return &list.emplace_back(StreamSection{pattern, {}});
}

/// The setting that the path names. Null: a section, or reported.
template <class Target>
const Setting<Target>* Loader::find(const Given& given, std::size_t from,
                                    const std::vector<std::string>& names,
                                    const std::vector<Setting<Target>>& settings) {
  const auto lookup = look_up(given.path, from, names);
  switch (lookup.found) {
    case Lookup::Found::key:
      if (!given.is_section) return &settings[lookup.index];
      reported_.insert(given.path);
      problem(given.where, fmt::format("{} is a key, not a section", join(given.path)));
      return nullptr;
    case Lookup::Found::section:
      if (!given.is_section)
        problem(given.where, fmt::format("{} is a section, not a key", join(given.path)));
      return nullptr;
    case Lookup::Found::unknown:
      unknown_key(given, from, lookup);
      return nullptr;
  }
  return nullptr;
}

template <class Target>
std::optional<Value> Loader::value_of(const Given& given, const Setting<Target>& setting) {
  auto converted = convert(setting.type, given.raw(setting.type));
  if (!converted.value) problem(given.where, fmt::format("{}: {}", join(given.path), converted.complaint));
  return std::move(converted.value);
}

void Loader::problem(std::string_view where, std::string_view what) {
  problems_.push_back(fmt::format("{}: {}", where, what));
}

bool Loader::inside_reported(const KeyPath& path) const {
  return std::any_of(reported_.begin(), reported_.end(), [&path](const KeyPath& section) {
    return section.size() <= path.size() && std::equal(section.begin(), section.end(), path.begin());
  });
}

void Loader::unknown_key(const Given& given, std::size_t from, const Lookup& lookup) {
  const std::size_t wrong = from + lookup.known_parts;
  const bool is_section = given.is_section || wrong + 1 < given.path.size();
  KeyPath path(given.path.begin(), given.path.begin() + static_cast<std::ptrdiff_t>(wrong) + 1);
  if (is_section) reported_.insert(path);

  auto candidates = lookup.siblings;
  if (wrong == 0) candidates.insert(candidates.end(), {"defaults", "streams"});
  auto meant = nearest(path[wrong], candidates);
  if (!meant) {  // the right key in the wrong section, perhaps
    const auto elsewhere = std::find_if(all_names_.begin(), all_names_.end(),
                                        [&](const auto& name) { return leaf_of(name) == path[wrong]; });
    if (elsewhere != all_names_.end()) meant = *elsewhere;
  }
  problem(given.where, fmt::format("unknown {} {}{}", is_section ? "section" : "key", join(path),
                                   meant ? fmt::format("; did you mean {}?", *meant) : ""));
}

/// A variable that starts like a section of ours is a mistake; any other may serve somebody else.
void Loader::unknown_variable(const std::string& name) {
  std::vector<std::string> known;
  bool is_ours = false;
  for (const auto& key : all_names_) {
    known.push_back(environment_name(key));
    is_ours = is_ours || name.starts_with(environment_name(section_of(key)) + "_");
  }
  const auto meant = nearest(name, known);
  const auto hint = meant ? fmt::format("; did you mean {}?", *meant) : "";
  if (is_ours)
    problem(name, "no setting has this name" + hint);
  else
    warnings_.push_back(fmt::format("{}: no setting has this name; ignored{}", name, hint));
}

void Loader::warn_unused() {
  std::set<std::string> warned;
  for (const auto& unused : unused_) {
    if (!unused.process.empty()) {
      const auto effective =
          unused.pattern.empty() ? config_.defaults : config_.settings_for(unused.pattern)->values;
      const auto enabled = std::find_if(stream_settings().begin(), stream_settings().end(),
                                        [&](const auto& s) { return s.name == unused.process + ".enabled"; });
      if (!std::get<bool>(enabled->read(effective))) continue;
    }
    if (!warned.insert(unused.key.substr(0, unused.key.rfind('.'))).second) continue;
    warnings_.push_back(fmt::format("{}: {}: {}; ignored", unused.where, unused.key, unused.why));
  }
}

Loaded Loader::finish() {
  std::stable_sort(config_.streams.begin(), config_.streams.end(), [](const auto& a, const auto& b) {
    return specificity(a.pattern) < specificity(b.pattern);
  });
  if (problems_.empty()) problems_ = check(config_);
  if (!problems_.empty()) return {nullptr, std::move(problems_), std::move(warnings_)};
  warn_unused();
  return {std::make_shared<const Config>(std::move(config_)), {}, std::move(warnings_)};
}

}  // namespace lookback::conf
