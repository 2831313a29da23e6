#include "tests/faults/mirror.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include "tests/faults/shim.hpp"

// The kernel is called directly where the shim stands in the way.
namespace lookback::faults {
namespace {

std::mutex mutex;  ///< one copy at a time

const char* mirror() {
  static const char* folder = std::getenv(mirror_variable);
  return folder;
}

int raw_open(const std::string& path, int flags) {
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path.c_str(), flags | O_CLOEXEC, 0644));
}
void raw_close(int file) { ::syscall(SYS_close, file); }
void raw_write(int file, const char* bytes, std::size_t size) { ::syscall(SYS_write, file, bytes, size); }
void into_place(const std::string& path) {
  ::syscall(SYS_rename, (path + ".new").c_str(), path.c_str());  // whole or not at all: the process is killed
}

void copy_file(int from, const struct stat& status) {
  const auto path = std::string(mirror()) + "/durable-" + std::to_string(status.st_ino);
  const int source = raw_open("/proc/self/fd/" + std::to_string(from), O_RDONLY);
  const int target = raw_open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC);
  static char buffer[1 << 16];
  for (;;) {
    const auto count = ::syscall(SYS_read, source, buffer, sizeof(buffer));
    if (count <= 0) break;
    raw_write(target, buffer, static_cast<std::size_t>(count));
  }
  raw_close(source);
  raw_close(target);
  into_place(path);
}

void copy_names(const std::string& folder, const struct stat& status) {
  const auto path = std::string(mirror()) + "/names-" + std::to_string(status.st_ino);
  std::string text;
  if (auto* entries = ::opendir(folder.c_str())) {
    while (const auto* entry = ::readdir(entries)) {
      struct stat named {};
      if (::fstatat(::dirfd(entries), entry->d_name, &named, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (S_ISREG(named.st_mode)) text += std::to_string(named.st_ino) + " " + entry->d_name + "\n";
    }
    ::closedir(entries);
  }
  const int target = raw_open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC);
  raw_write(target, text.data(), text.size());
  raw_close(target);
  into_place(path);
}

void take(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return;
  if (S_ISDIR(status.st_mode))
    copy_names("/proc/self/fd/" + std::to_string(file), status);
  else
    copy_file(file, status);
}

void take_all(const std::string& folder) {
  auto* entries = ::opendir(folder.c_str());
  if (entries == nullptr) return;
  while (const auto* entry = ::readdir(entries)) {
    const auto path = folder + "/" + entry->d_name;
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') take_all(path);
    if (entry->d_type != DT_REG) continue;
    const int file = raw_open(path, O_RDONLY);
    if (file >= 0) take(file);
    raw_close(file);
  }
  ::closedir(entries);
  const int self = raw_open(folder, O_RDONLY | O_DIRECTORY);
  if (self >= 0) take(self);
  raw_close(self);
}

}  // namespace

void mirror_opened(int file) {
  if (mirror() == nullptr) return;
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return;
  const auto link = std::string(mirror()) + "/link-" + std::to_string(status.st_ino);
  (void)::linkat(AT_FDCWD, ("/proc/self/fd/" + std::to_string(file)).c_str(), AT_FDCWD, link.c_str(),
                 AT_SYMLINK_FOLLOW);  // it may be there already
}

void mirror_synced(int file) {
  if (mirror() == nullptr) return;
  const std::lock_guard lock(mutex);
  take(file);
}

void mirror_synced_all() {
  if (mirror() == nullptr) return;
  const std::lock_guard lock(mutex);
  take_all(std::getenv(folder_variable));
}

}  // namespace lookback::faults
