#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "server/live/stream_settings.hpp"
#include "store/store.hpp"

namespace lookback::server {

/// What the API has set of a stream's processes, by the setting's name: durations in ms (0: the entire
/// stream), flags as 0 and 1. {"rec.enabled": 1, "rec.duration": 0}
using OverrideValues = std::map<std::string, std::int64_t, std::less<>>;

/// The settings that can be overridden: "thumbs.enabled", ..., "replay.duration".
bool can_override(std::string_view setting);
/// The value that a stream's settings have. `setting` is one that can be overridden.
std::int64_t override_value(const StreamSettings& settings, std::string_view setting);

/// One line per value ("rec.enabled=1\n"), and back; lines that are not understood are left out.
std::string encode_overrides(const OverrideValues& values);
OverrideValues decode_overrides(std::string_view text);

/// What the API has set, of all streams; kept in the store with the stream's record, so that it survives a
/// restart. Thread-safe.
class Overrides {
 public:
  /// Reads what the store has. `store` outlives it.
  explicit Overrides(store::Store& store);

  /// `configured` with what the API has set of `stream`; its origin is "api".
  EffectiveSettingsPtr apply(std::string_view stream, EffectiveSettingsPtr configured) const;
  OverrideValues of(std::string_view stream) const;
  /// Replaces what is set of `stream`, which is made when there is none. Durable when it returns; takes
  /// effect with `Registry::apply_settings`. Blocking. Errors: the store's.
  Result<void> set(const std::string& stream, OverrideValues values);

 private:
  store::Store& store_;
  mutable std::mutex mutex_;  ///< guards values_
  std::map<std::string, OverrideValues, std::less<>> values_;
};

}  // namespace lookback::server
