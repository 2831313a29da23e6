#include "store/file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/system_error.hpp"

namespace lookback::store {

bool write_all(int file, ByteSpan bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) {
      errno = EIO;
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

std::vector<std::byte> read_range(int file, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const auto count = ::pread(file, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

Result<std::vector<std::byte>> read_whole(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return errc_of(errno);
  auto bytes = read_range(file, 0, static_cast<std::size_t>(status.st_size));
  if (bytes.size() < static_cast<std::size_t>(status.st_size)) return Errc::io_error;
  return bytes;
}

}  // namespace lookback::store
