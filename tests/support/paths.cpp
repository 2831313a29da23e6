#include "tests/support/paths.hpp"

namespace lookback::support {

std::filesystem::path source_folder() { return LOOKBACK_SOURCE_DIR; }
std::filesystem::path build_folder() { return LOOKBACK_BUILD_DIR; }

}  // namespace lookback::support
