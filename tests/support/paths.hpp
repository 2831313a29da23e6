#pragma once
#include <filesystem>

namespace lookback::support {

/// The source tree that these tests were built from, and the folder of what was built. Only paths.cpp is
/// compiled with them, so that a second clone finds every other file in the compiler's cache.
std::filesystem::path source_folder();
std::filesystem::path build_folder();
/// The clips of the source tree.
inline std::filesystem::path media_folder() { return source_folder() / "tests" / "media"; }

}  // namespace lookback::support
