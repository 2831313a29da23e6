#include "tests/support/media.hpp"
#include "tests/support/paths.hpp"

#include <cstdlib>
#include <optional>
#include <stdexcept>

namespace lookback::support {
namespace {

std::optional<std::filesystem::path> find_clip(const std::string& name) {
  const std::filesystem::path own = media_folder() / name;
  if (std::filesystem::is_regular_file(own)) return own;
  const char* extra = std::getenv("LOOKBACK_EXTRA_MEDIA");
  if (extra == nullptr) return std::nullopt;
  const auto other = std::filesystem::path(extra) / name;
  if (std::filesystem::is_regular_file(other)) return other;
  return std::nullopt;
}

}  // namespace

bool has_clip(const std::string& name) { return find_clip(name).has_value(); }

std::filesystem::path clip(const std::string& name) {
  const auto found = find_clip(name);
  if (!found)
    throw std::runtime_error("clip " + name + " is neither in tests/media nor in LOOKBACK_EXTRA_MEDIA");
  return *found;
}

}  // namespace lookback::support
