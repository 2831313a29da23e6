// See shim.hpp. Calls the kernel directly, as it stands in the place of the C library's functions.
#include "tests/faults/shim.hpp"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "tests/faults/mirror.hpp"

namespace lookback::faults {
namespace {

constexpr int max_files = 65'536;

/// Calls before any constructor has run, and after the last destructor: plain data only.
struct State {
  std::string_view folder;
  Control* control = nullptr;
  std::array<std::atomic<std::uint8_t>, max_files> places{};  ///< by descriptor
};
State state;

void start() {
  static std::atomic_flag begun = ATOMIC_FLAG_INIT;
  if (begun.test_and_set()) return;
  const char* folder = std::getenv(folder_variable);
  const char* control = std::getenv(control_variable);
  if (folder == nullptr) return;
  if (control != nullptr) {
    const int file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, control, O_RDWR | O_CLOEXEC, 0));
    void* memory = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) state.control = static_cast<Control*>(memory);
  }
  state.folder = folder;
}
[[gnu::constructor]] void start_early() { start(); }

/// Where a path below the folder is; 0: not below it.
std::uint8_t place_of(std::string_view path) {
  start();
  if (state.folder.empty() || !path.starts_with(state.folder)) return 0;
  path.remove_prefix(state.folder.size());
  if (path.starts_with("/extents")) return place_extents;
  if (path.starts_with("/index")) return path.ends_with(".log") ? place_index_log : place_index;
  return place_folder;
}

std::uint8_t place_at(int folder, std::string_view path) {
  if (path.starts_with('/') || folder == AT_FDCWD) return place_of(path);
  return folder >= 0 && folder < max_files ? state.places[static_cast<std::size_t>(folder)].load() : 0;
}

std::uint8_t place_of(int file) {
  return file >= 0 && file < max_files ? state.places[static_cast<std::size_t>(file)].load() : 0;
}

enum class Verdict { pass, fail, torn, brief };

Verdict judge(Call call, std::uint8_t place) {
  auto* control = state.control;
  if (control == nullptr || place == 0) return Verdict::pass;
  if ((control->calls & call) == 0 || (control->places & place) == 0) return Verdict::pass;
  const auto number = ++control->seen;
  const auto first = control->first.load();
  if (first == 0 || number < first || number - first >= control->count) return Verdict::pass;
  ++control->hit;
  switch (static_cast<How>(control->how.load())) {
    case How::stall: {
      timespec time{.tv_sec = control->stall_ms / 1'000, .tv_nsec = control->stall_ms % 1'000 * 1'000'000L};
      ::syscall(SYS_nanosleep, &time, nullptr);
      return Verdict::pass;
    }
    case How::torn:
      return Verdict::torn;
    case How::brief:
      return Verdict::brief;
    case How::error:
      break;
  }
  return Verdict::fail;
}

int fail() {
  errno = static_cast<int>(state.control->error.load());
  return -1;
}

int open_at(int folder, const char* path, int flags, mode_t mode) {
  const auto place = place_at(folder, path);
  const bool writes = (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
  if (writes && judge(call_open, place) != Verdict::pass) return fail();
  const int file = static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
  if (file >= 0 && file < max_files) state.places[static_cast<std::size_t>(file)] = place;
  if (file >= 0 && place != 0 && writes) mirror_opened(file);
  return file;
}

/// A write of `vectors`; at `offset`, or where the file stands (-1).
ssize_t write_at(int file, const iovec* vectors, int count, off_t offset) {
  const auto call = [&](const iovec* from, int number) {
    return offset < 0 ? ::syscall(SYS_writev, file, from, number)
                      : ::syscall(SYS_pwritev, file, from, number, offset, 0);
  };
  const auto verdict = judge(call_write, place_of(file));
  if (verdict == Verdict::fail) return fail();
  if (verdict == Verdict::pass) return call(vectors, count);
  iovec half = vectors[0];
  for (int i = 0; i < count && half.iov_len < 2; ++i) half = vectors[i];
  if (half.iov_base != vectors[0].iov_base || half.iov_len < 2)
    return verdict == Verdict::torn ? fail() : call(vectors, count);
  half.iov_len /= 2;
  const auto done = call(&half, 1);
  return verdict == Verdict::torn ? fail() : done;
}

template <class Sync>
int sync(int file, bool all, const Sync& call) {
  if (judge(call_sync, place_of(file)) != Verdict::pass) return fail();
  const int result = call();
  if (result == 0 && place_of(file) != 0) all ? mirror_synced_all() : mirror_synced(file);
  return result;
}

}  // namespace
}  // namespace lookback::faults

using namespace lookback::faults;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const auto mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const auto mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return open_at(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const auto mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return open_at(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const auto mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return open_at(folder, path, flags, mode);
}
int __open_2(const char* path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }

int close(int file) {
  if (file >= 0 && file < max_files) state.places[static_cast<std::size_t>(file)] = 0;
  return static_cast<int>(::syscall(SYS_close, file));
}

ssize_t write(int file, const void* bytes, size_t size) {
  if (place_of(file) == 0) return ::syscall(SYS_write, file, bytes, size);
  const iovec one{const_cast<void*>(bytes), size};
  return write_at(file, &one, 1, -1);
}
ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  const iovec one{const_cast<void*>(bytes), size};
  return write_at(file, &one, 1, offset);
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  return pwrite(file, bytes, size, offset);
}
ssize_t writev(int file, const iovec* vectors, int count) { return write_at(file, vectors, count, -1); }
ssize_t pwritev(int file, const iovec* vectors, int count, off_t offset) {
  return write_at(file, vectors, count, offset);
}
ssize_t pwritev64(int file, const iovec* vectors, int count, off64_t offset) {
  return write_at(file, vectors, count, offset);
}

int fsync(int file) {
  return sync(file, false, [&] { return static_cast<int>(::syscall(SYS_fsync, file)); });
}
int fdatasync(int file) {
  return sync(file, false, [&] { return static_cast<int>(::syscall(SYS_fdatasync, file)); });
}
int syncfs(int file) noexcept {
  return sync(file, true, [&] { return static_cast<int>(::syscall(SYS_syncfs, file)); });
}
int sync_file_range(int, off64_t, off64_t, unsigned) { return 0; }  // promises nothing

int ftruncate(int file, off_t size) noexcept {
  if (judge(call_truncate, place_of(file)) != Verdict::pass) return fail();
  return static_cast<int>(::syscall(SYS_ftruncate, file, size));
}
int ftruncate64(int file, off64_t size) noexcept { return ftruncate(file, size); }
int truncate(const char* path, off_t size) noexcept {
  if (judge(call_truncate, place_of(std::string_view(path))) != Verdict::pass) return fail();
  return static_cast<int>(::syscall(SYS_truncate, path, size));
}
int truncate64(const char* path, off64_t size) noexcept { return truncate(path, size); }
int fallocate(int file, int mode, off_t offset, off_t size) {
  if (judge(call_allocate, place_of(file)) != Verdict::pass) return fail();
  return static_cast<int>(::syscall(SYS_fallocate, file, mode, offset, size));
}
int fallocate64(int file, int mode, off64_t offset, off64_t size) {
  return fallocate(file, mode, offset, size);
}

int rename(const char* from, const char* to) noexcept {
  if (judge(call_rename, place_of(std::string_view(from))) != Verdict::pass) return fail();
  return static_cast<int>(::syscall(SYS_rename, from, to));
}
int unlink(const char* path) noexcept {
  if (judge(call_unlink, place_of(std::string_view(path))) != Verdict::pass) return fail();
  return static_cast<int>(::syscall(SYS_unlink, path));
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  if (judge(call_unlink, place_at(folder, path)) != Verdict::pass) return fail();
  return static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags));
}

}  // extern "C"
