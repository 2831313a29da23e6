#include "tests/support/temp_dir.hpp"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace lookback::support {

TempDir::TempDir() {
  auto pattern = (std::filesystem::temp_directory_path() / "lookback-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "mkdtemp");
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;  // a leftover folder must not turn a passed test into a crash
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace lookback::support
