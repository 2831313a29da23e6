#include "store/extent_file.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "store/base/errc.hpp"

namespace lookback::store {
namespace {

ssize_t read_some(int file, std::byte* to, std::size_t size, std::uint64_t offset) {
  for (;;) {
    const auto count = ::pread(file, to, size, static_cast<off_t>(offset));
    if (count >= 0 || errno != EINTR) return count;
  }
}

}  // namespace

ExtentFile::~ExtentFile() { ::close(descriptor_); }

Result<Bytes> ExtentFile::read(std::uint64_t offset, std::size_t size) const {
  auto bytes = std::make_shared<std::vector<std::byte>>(size);
  for (std::size_t done = 0; done < size;) {
    const auto count = read_some(descriptor_, bytes->data() + done, size - done, offset + done);
    if (count < 0) return Errc::io_error;
    if (count == 0) return Errc::damaged;
    done += static_cast<std::size_t>(count);
  }
  return Bytes(std::move(bytes));
}

bool ExtentFile::is_cached(std::uint64_t offset, std::size_t size) const {
  if (size == 0) return true;
  std::byte byte;
  iovec vector{&byte, 1};
  // Where the file system cannot tell, the answer is "no": the caller then reads on a pool, which is always
  // right.
  return ::preadv2(descriptor_, &vector, 1, static_cast<off_t>(offset + size - 1), RWF_NOWAIT) == 1;
}

void ExtentFile::prefetch(std::uint64_t offset, std::size_t size) const {
  ::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_WILLNEED);
  std::array<std::byte, 64 << 10> scratch;
  while (size > 0) {
    const auto count = read_some(descriptor_, scratch.data(), std::min(size, scratch.size()), offset);
    if (count <= 0) return;  // whoever sends the range meets the same error and reports it
    offset += static_cast<std::uint64_t>(count);
    size -= static_cast<std::size_t>(count);
  }
}

}  // namespace lookback::store
