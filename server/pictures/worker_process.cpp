#include "server/pictures/worker_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>
#include <vector>

#include "server/pictures/errc.hpp"
#include "server/pictures/worker/main.hpp"

namespace lookback::server::pictures {
namespace {

/// The server's environment may hold secrets; a worker gets what finds its libraries, and sanitizers'
/// options.
std::vector<std::string> environment() {
  std::vector<std::string> kept{"MALLOC_ARENA_MAX=1"};
  for (const char* name : {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// What posix_spawn is told, and frees.
struct SpawnPlan {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  explicit SpawnPlan(int socket) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);  // no client's socket goes along
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);  // a terminal's Ctrl-C is the server's
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

}  // namespace

Result<void> WorkerProcess::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return Errc::cannot_start;
  Descriptor ours(ends[0]), theirs(ends[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  const SpawnPlan plan(theirs.get());
  std::vector<std::string> arguments{options_.program, worker_command,
                                     std::to_string(options_.max_memory_bytes)};
  auto variables = environment();
  const int error = ::posix_spawn(&pid_, options_.program.c_str(), &plan.actions, &plan.attributes,
                                  pointers(arguments).data(), pointers(variables).data());
  if (error != 0) {
    pid_ = 0;
    return Errc::cannot_start;
  }
  socket_ = std::move(ours);
  jobs_ = 0;
  return {};
}

boost::system::error_code WorkerProcess::end() {
  socket_ = Descriptor();
  if (pid_ == 0) return {};
  int status = 0;
  const bool had_died = ::waitpid(pid_, &status, WNOHANG) == pid_;
  if (!had_died) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = 0;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) return Errc::timed_out;
  return had_died ? make_error_code(Errc::crashed) : boost::system::error_code();
}

Result<Slice> WorkerProcess::exchange(const std::string& message) {
  if (jobs_ >= options_.jobs_per_process) end();
  if (pid_ == 0) {
    if (const auto started = start(); !started) return started.error();
  }
  ++jobs_;
  const auto deadline = Clock::now() + options_.max_time;
  const auto sent = send(message, deadline);
  auto answer = sent ? receive_message(deadline) : Result<Slice>(sent.error());
  if (answer) return answer;
  const auto died_of = end();
  if (answer.error() == Errc::crashed && died_of) return died_of;
  return answer;
}

Result<void> WorkerProcess::wait_for(short events, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (left <= 0) return Errc::timed_out;
  pollfd files[2] = {{socket_.get(), events, 0}, {stop_, POLLIN, 0}};
  const int ready = ::poll(files, 2, static_cast<int>(left));
  if (ready < 0 && errno != EINTR) return Errc::crashed;
  if (ready > 0 && files[1].revents != 0) return Errc::shutting_down;
  return {};
}

Result<void> WorkerProcess::send(const std::string& message, Clock::time_point deadline) {
  for (std::size_t done = 0; done < message.size();) {
    const auto count = ::send(socket_.get(), message.data() + done, message.size() - done, MSG_NOSIGNAL);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EAGAIN && errno != EINTR) {
      return Errc::crashed;
    } else if (const auto ready = wait_for(POLLOUT, deadline); !ready) {
      return ready;
    }
  }
  return {};
}

Result<void> WorkerProcess::receive(std::byte* out, std::size_t size, Clock::time_point deadline) {
  while (size > 0) {
    const auto count = ::recv(socket_.get(), out, size, 0);
    if (count == 0) return Errc::crashed;
    if (count > 0) {
      out += count;
      size -= static_cast<std::size_t>(count);
    } else if (errno != EAGAIN && errno != EINTR) {
      return Errc::crashed;
    } else if (const auto ready = wait_for(POLLIN, deadline); !ready) {
      return ready;
    }
  }
  return {};
}

Result<Slice> WorkerProcess::receive_message(Clock::time_point deadline) {
  std::byte head[message_head_bytes];
  if (const auto got = receive(head, sizeof head, deadline); !got) return got.error();
  const auto size = payload_bytes(head, max_reply_bytes);
  if (!size) return size.error();
  std::vector<std::byte> payload(*size);
  if (const auto got = receive(payload.data(), payload.size(), deadline); !got) return got.error();
  return make_slice(std::move(payload));
}

}  // namespace lookback::server::pictures
