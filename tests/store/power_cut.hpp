#pragma once
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "store/base/descriptor.hpp"
#include "tests/store/fixture.hpp"

/// Stops of the store that its destructor does not see.
namespace lookback::store::test {

/// Runs `work` in a child process that is then killed, or ends, without any clean-up; its exit code, or -1.
/// The caller has no other threads.
inline int in_child(const std::function<void()>& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A store as a crash leaves it: written by a process that was killed. Syncs run only when `work` asks for
/// them.
inline void write_and_crash(Options options, const std::function<void(Store&)>& work) {
  options.sync_interval = std::chrono::hours(1);
  const auto code = in_child([&] {
    auto store = Store::open(options);
    if (!store) ::_exit(2);
    work(**store);
    ::kill(::getpid(), SIGKILL);
  });
  REQUIRE(code == -1);
}

/// For a child of write_and_crash, where nothing may be asserted.
inline void append_or_exit(Store& store, Append append) {
  std::promise<bool> answer;
  store.append(std::move(append),
               [&](const Result<SegmentRecord>& result) { answer.set_value(result.has_value()); });
  if (!answer.get_future().get()) ::_exit(3);
}

inline void append_segment_or_exit(Store& store, StreamId stream, std::uint64_t msn) {
  for (std::size_t part = 0; part < parts_per_segment; ++part)
    append_or_exit(store, part_append(stream, msn, part));
}

inline StreamId test_stream_or_exit(Store& store) {
  const auto stream = store.open_stream("live/test");
  if (!stream) ::_exit(4);
  store.put_track(stream->id, {.id = 0, .name = "v0", .timescale = timescale});
  store.put_init(stream->id,
                 {.track = 0, .id = 1, .bytes = std::vector<std::byte>(700, std::byte{7}), .format = {}});
  return stream->id;
}

/// The only extent file of the store.
inline std::filesystem::path only_extent(const std::filesystem::path& store) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(store / "extents"))
    files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  return files[0];
}

inline void overwrite(const std::filesystem::path& path, std::uint64_t offset,
                      const std::vector<std::byte>& bytes) {
  const Descriptor file(::open(path.c_str(), O_RDWR));
  REQUIRE(file);
  REQUIRE(::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
          static_cast<ssize_t>(bytes.size()));
}

inline void flip_bit(const std::filesystem::path& path, std::uint64_t offset) {
  const Descriptor file(::open(path.c_str(), O_RDONLY));
  std::byte byte{};
  REQUIRE(::pread(file.get(), &byte, 1, static_cast<off_t>(offset)) == 1);
  overwrite(path, offset, {byte ^ std::byte{1}});
}

}  // namespace lookback::store::test
