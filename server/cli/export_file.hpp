#pragma once
#include <filesystem>
#include <functional>

#include "server/archive/mp4_movie.hpp"
#include "store/base/descriptor.hpp"

namespace lookback::server::cli {

/// A file that gets its name when it is whole and durable; until then it is called `NAME.part`, and is
/// removed when this object ends before. Blocking.
class ExportFile {
 public:
  explicit ExportFile(std::filesystem::path path);
  ~ExportFile();
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;

  /// Errors: the system's; file_exists when another export writes to it.
  Result<void> open();
  Result<void> append(ByteSpan bytes);
  /// `size` bytes of an extent.
  Result<void> append(const store::ExtentFile& from, std::uint64_t offset, std::uint64_t size);
  /// Makes it durable and gives it its name; a file of that name is replaced.
  Result<void> finish();

 private:
  const std::filesystem::path path_, part_;
  Descriptor file_;
  bool made_ = false;
};

}  // namespace lookback::server::cli
