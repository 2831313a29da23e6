#include "server/live/overrides.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace lookback::server {
namespace {

using std::chrono::milliseconds;

struct Field {
  std::string_view name;
  std::int64_t (*read)(const StreamSettings&);
  void (*write)(StreamSettings&, std::int64_t);
};

std::int64_t to_number(bool flag) { return flag ? 1 : 0; }
std::int64_t to_number(milliseconds duration) { return duration.count(); }
void take_number(bool& flag, std::int64_t value) { flag = value != 0; }
void take_number(milliseconds& duration, std::int64_t value) { duration = milliseconds(value); }

/// `Access` is a lambda without captures that gives the member.
template <class Access>
constexpr Field field(std::string_view name, Access) {
  return {name, [](const StreamSettings& settings) { return to_number(Access{}(settings)); },
          [](StreamSettings& settings, std::int64_t value) { take_number(Access{}(settings), value); }};
}

constexpr std::array fields{
    field(
        "thumbs.enabled", [](auto& s) -> auto& { return s.thumbs.enabled; }),
    field(
        "thumbs.interval", [](auto& s) -> auto& { return s.thumbs.interval; }),
    field(
        "motionclip.enabled", [](auto& s) -> auto& { return s.motionclip.enabled; }),
    field(
        "motionclip.duration", [](auto& s) -> auto& { return s.motionclip.duration; }),
    field(
        "motionclip.interval", [](auto& s) -> auto& { return s.motionclip.interval; }),
    field(
        "rec.enabled", [](auto& s) -> auto& { return s.rec.enabled; }),
    field(
        "rec.duration", [](auto& s) -> auto& { return s.rec.duration; }),
    field(
        "replay.enabled", [](auto& s) -> auto& { return s.replay_enabled; }),
    field(
        "replay.duration", [](auto& s) -> auto& { return s.replay_duration; }),
};

const Field* find_field(std::string_view name) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

}  // namespace

bool can_override(std::string_view setting) { return find_field(setting) != nullptr; }

std::int64_t override_value(const StreamSettings& settings, std::string_view setting) {
  return find_field(setting)->read(settings);
}

std::string encode_overrides(const OverrideValues& values) {
  std::string out;
  for (const auto& [name, value] : values) out += name + "=" + std::to_string(value) + "\n";
  return out;
}

OverrideValues decode_overrides(std::string_view text) {
  OverrideValues values;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || !can_override(line.substr(0, equals))) continue;
    std::int64_t value = 0;
    const auto digits = line.substr(equals + 1);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = error == std::errc{} && stop == digits.data() + digits.size() && value >= 0;
    if (whole) values.insert_or_assign(std::string(line.substr(0, equals)), value);
  }
  return values;
}

Overrides::Overrides(store::Store& store) : store_(store) {
  for (const auto& stream : store_.streams()) {
    if (auto values = decode_overrides(stream.overrides); !values.empty())
      values_[stream.name] = std::move(values);
  }
}

EffectiveSettingsPtr Overrides::apply(std::string_view stream, EffectiveSettingsPtr configured) const {
  const auto values = of(stream);
  if (values.empty()) return configured;
  auto out = std::make_shared<EffectiveSettings>(*configured);
  for (const auto& [name, value] : values) {
    find_field(name)->write(out->values, value);
    out->origins.insert_or_assign(name, "api");
  }
  return out;
}

OverrideValues Overrides::of(std::string_view stream) const {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(stream);
  return found == values_.end() ? OverrideValues{} : found->second;
}

Result<void> Overrides::set(const std::string& stream, OverrideValues values) {
  const auto record = store_.open_stream(stream);
  if (!record) return record.error();
  if (auto put = store_.put_overrides(record->id, encode_overrides(values)); !put) return put.error();
  const std::lock_guard lock(mutex_);
  values_.insert_or_assign(stream, std::move(values));
  return {};
}

}  // namespace lookback::server
