#include "server/cli/export_file.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace lookback::server::cli {
namespace {

boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }

std::filesystem::path part_of(std::filesystem::path path) { return path += ".part"; }

}  // namespace

ExportFile::ExportFile(std::filesystem::path path) : path_(std::move(path)), part_(part_of(path_)) {}

ExportFile::~ExportFile() {
  if (made_) ::unlink(part_.c_str());
}

Result<void> ExportFile::open() {
  file_ = Descriptor(::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file_) return last_error();
  made_ = true;
  return {};
}

Result<void> ExportFile::append(ByteSpan bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(file_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return last_error();
    if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> ExportFile::append(const store::ExtentFile& from, std::uint64_t offset, std::uint64_t size) {
  auto position = static_cast<off_t>(offset);
  while (size > 0) {
    const auto count =
        ::sendfile(file_.get(), from.descriptor(), &position, std::min<std::uint64_t>(size, 8u << 20));
    if (count < 0 && errno != EINTR) return last_error();
    if (count == 0) return store::Errc::damaged;  // the extent is shorter than its record says
    if (count > 0) size -= static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<void> ExportFile::finish() {
  if (::fsync(file_.get()) != 0) return last_error();
  if (std::rename(part_.c_str(), path_.c_str()) != 0) return last_error();
  made_ = false;
  const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  const Descriptor names(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!names || ::fsync(names.get()) != 0) return last_error();
  return {};
}

}  // namespace lookback::server::cli
