#include "conf/config.hpp"

#include <algorithm>

#include "conf/pattern.hpp"
#include "conf/settings.hpp"

namespace lookback::conf {
namespace {

/// Keeps `part <= segment <= max_segment`, which each section by itself already obeys.
void reconcile(server::StreamSettings& settings) {
  settings.part_us = std::min(settings.part_us, settings.segment_us);
  const auto segment =
      std::chrono::ceil<std::chrono::seconds>(std::chrono::microseconds(settings.segment_us));
  settings.max_segment = std::max<std::chrono::milliseconds>(settings.max_segment, segment);
}

}  // namespace

server::EffectiveSettingsPtr Config::settings_for(std::string_view stream) const {
  auto effective = std::make_shared<server::EffectiveSettings>();
  effective->values = defaults;
  for (const auto& setting : stream_settings()) {
    const auto origin = origins.find("defaults." + setting.name);
    effective->origins[setting.name] = origin == origins.end() ? "default" : origin->second;
  }
  for (const auto& section : streams) {
    if (!matches(section.pattern, stream)) continue;
    for (const auto& override_ : section.overrides) {
      override_.setting->assign(effective->values, override_.value);
      effective->origins[override_.setting->name] = override_.origin;
    }
  }
  reconcile(effective->values);
  return effective;
}

std::vector<server::srt::PullTarget> Config::pulls() const {
  std::vector<server::srt::PullTarget> out;
  for (const auto& section : streams) {
    if (is_glob(section.pattern)) continue;
    const auto url = server::srt::parse_pull_url(settings_for(section.pattern)->values.pull);
    if (!url.target) continue;  // there is none
    out.push_back(*url.target);
    out.back().stream = section.pattern;
  }
  return out;
}

}  // namespace lookback::conf
