#pragma once
#include <filesystem>
#include <string>

namespace lookback::support {

/// Path of a clip: in tests/media, or in the folder that LOOKBACK_EXTRA_MEDIA names.
/// Throws std::runtime_error, naming the clip, when it is in neither.
std::filesystem::path clip(const std::string& name);
/// Whether `clip` would find it.
bool has_clip(const std::string& name);

}  // namespace lookback::support
