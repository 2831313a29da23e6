#include "server/pictures/worker/sandbox.hpp"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <memory>

namespace lookback::server::pictures::worker {
namespace {

boost::system::error_code system_error(int number) { return {number, boost::system::system_category()}; }

/// What the process has mapped now: libraries, and a sanitizer's shadow.
std::uint64_t mapped_bytes() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Far behind everybody else, but not last: SCHED_IDLE gets a fifth of what the lowest nice value gets, so
/// that pictures would wait for ever where all CPUs are taken. Batch never interrupts who runs. A kernel
/// without one of these is no reason not to decode.
void step_back() {
  constexpr int of_process = 1, idle_class = 3 << 13;  // ioprio_set(2)
  (void)::setpriority(PRIO_PROCESS, 0, 19);
  const sched_param none{};
  (void)::sched_setscheduler(0, SCHED_BATCH, &none);
  (void)::syscall(SYS_ioprio_set, of_process, 0, idle_class);
}

Result<void> limit(decltype(RLIMIT_AS) what, std::uint64_t most) {
  const rlimit value{most, most};
  if (::setrlimit(what, &value) != 0) return system_error(errno);
  return {};
}

/// What libavcodec, malloc and a dying process need, and the socket on descriptor 0. Everything else fails
/// with EPERM, opening of files and sockets among it; the code that a bad stream brings along finds nothing
/// to call.
constexpr int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(close),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(fstat),
    SCMP_SYS(sysinfo),
};

Result<void> filter_calls() {
  const auto release = [](void* context) { seccomp_release(context); };
  const std::unique_ptr<void, decltype(release)> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), release);
  if (!filter) return system_error(ENOMEM);
  int failed = 0;
  const auto allow = [&](int call, auto... conditions) {
    const int code =
        seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, sizeof...(conditions), conditions...);
    if (code < 0) failed = -code;
  };
  for (const int call : allowed) allow(call);
  // No new code: memory is never executable.
  allow(SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  allow(SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  // Its own limits, and a signal to itself: it shares the server's user, whose processes it must not end.
  allow(SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0));
  allow(SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid())));
  // Replies, and a sanitizer's last words.
  allow(SCMP_SYS(write), SCMP_A0(SCMP_CMP_EQ, STDIN_FILENO));
  allow(SCMP_SYS(write), SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO));
  if (failed == 0) failed = -seccomp_load(filter.get());
  if (failed != 0) return system_error(failed);
  return {};
}

}  // namespace

Result<void> enter_sandbox(std::uint64_t max_memory_bytes) {
  step_back();
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return system_error(errno);
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return system_error(errno);
  if (auto set = limit(RLIMIT_CORE, 0); !set) return set;
  if (auto set = limit(RLIMIT_AS, mapped_bytes() + max_memory_bytes); !set) return set;
  if (auto set = limit(RLIMIT_FSIZE, 0); !set) return set;
  return filter_calls();
}

void limit_cpu(std::uint32_t ms) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  rlimit value{};
  ::getrlimit(RLIMIT_CPU, &value);
  const auto seconds = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
  value.rlim_cur = seconds + (ms + 999) / 1'000 + 1;  // whole seconds, and those that have begun
  ::setrlimit(RLIMIT_CPU, &value);
}

}  // namespace lookback::server::pictures::worker
