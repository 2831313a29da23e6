#include "server/pictures/worker/sandbox.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <csignal>

using namespace lookback::server::pictures;

namespace {

bool is_refused(long result) { return result == -1 && errno == EPERM; }

/// What code that a bad stream has brought along would try. 0, or the number of what it could do.
int try_to_get_out(pid_t server, int file) {
  if (!is_refused(::syscall(SYS_tgkill, server, server, 0))) return 1;
  if (!is_refused(::syscall(SYS_kill, server, 0))) return 2;
  if (!is_refused(::open("/dev/null", O_RDONLY))) return 3;
  if (!is_refused(::socket(AF_INET, SOCK_STREAM, 0))) return 4;
  if (!is_refused(::syscall(SYS_fork)) && !is_refused(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))) return 5;
  if (!is_refused(::write(file, "x", 1))) return 6;
  if (::syscall(SYS_tgkill, ::getpid(), ::getpid(), 0) != 0) return 7;  // abort() must work
  return 0;
}

}  // namespace

TEST_CASE("who is confined reaches no other process, no file, and no descriptor but its own two",
          "[pictures][worker]") {
  int pipe[2] = {};
  REQUIRE(::pipe(pipe) == 0);
  const auto server = ::getpid();
  const auto child = ::fork();
  if (child == 0) {
    if (!worker::enter_sandbox(1ull << 30)) ::_exit(100);
    ::_exit(try_to_get_out(server, pipe[1]));
  }
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  ::close(pipe[0]);
  ::close(pipe[1]);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
