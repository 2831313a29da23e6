#include "tests/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

extern char** environ;

namespace lookback::support {
namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    read = ends[0];
    write = ends[1];
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> merged_environment(const Process::Options& options) {
  std::vector<std::string> all;
  for (const auto& [name, value] : options.environment) all.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    bool replaced = false;
    for (const auto& [name, value] : options.environment) replaced |= text.starts_with(name + "=");
    for (const auto& name : options.hidden) replaced |= text.starts_with(name + "=");
    if (!replaced) all.emplace_back(text);
  }
  return all;
}

/// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char* const* argv, char* const* env, const char* folder, pid_t parent, int out,
                         int err) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(127);
  if (folder != nullptr && ::chdir(folder) != 0) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvpe(argv[0], argv, env);
  ::_exit(127);
}

}  // namespace

Process::Process(Options options) {
  auto argv = pointers(options.arguments);
  auto texts = merged_environment(options);
  auto env = pointers(texts);
  const auto folder = options.folder.string();
  const Pipe out, err;
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0)
    become(argv.data(), env.data(), folder.empty() ? nullptr : folder.c_str(), parent, out.write, err.write);
  ::close(out.write);
  ::close(err.write);
  if (pid_ < 0) {
    ::close(out.read);
    ::close(err.read);
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  reader_ = std::thread([this, o = out.read, e = err.read] { read_outputs(o, e); });
}

Process::~Process() {
  kill();
  reader_.join();
}

void Process::read_outputs(int out, int err) {
  std::array<pollfd, 2> polled{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  std::array<std::string*, 2> sinks{&out_, &err_};
  std::array<char, 65536> buffer;
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      const auto count = ::read(polled[i].fd, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        ::close(polled[i].fd);
        polled[i].fd = -1;
        continue;
      }
      const std::lock_guard lock(mutex_);
      if (sinks[i]->size() < max_output_bytes)
        sinks[i]->append(buffer.data(), static_cast<std::size_t>(count));
      changed_.notify_all();
    }
  }
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void Process::signal(int number) {
  const std::lock_guard lock(mutex_);
  if (!exit_code_) ::kill(pid_, number);  // not reaped yet: the id is still ours
}

std::optional<int> Process::wait(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (exit_code_) return exit_code_;
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return exit_code_;
      }
    }
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Process::kill() {
  signal(SIGKILL);
  while (!wait(std::chrono::seconds(1))) {
  }
}

std::string Process::out() const {
  const std::lock_guard lock(mutex_);
  return out_;
}

std::string Process::err() const {
  const std::lock_guard lock(mutex_);
  return err_;
}

std::optional<std::string> Process::find_line(std::string_view text) const {
  for (const auto* output : {&out_, &err_}) {
    const auto found = output->find(text);
    if (found == std::string::npos) continue;
    const auto end = output->find('\n', found);
    if (end == std::string::npos) continue;
    const auto start = output->rfind('\n', found);
    const auto from = start == std::string::npos ? 0 : start + 1;
    return output->substr(from, end - from);
  }
  return std::nullopt;
}

std::optional<std::string> Process::wait_for_line(std::string_view text, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  std::optional<std::string> line;
  changed_.wait_for(lock, limit, [&] { return (line = find_line(text)).has_value() || closed_; });
  return line;
}

bool Process::wait_for_end_of_output(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return closed_; });
}

Finished run(std::vector<std::string> arguments, std::chrono::milliseconds limit) {
  Process process({.arguments = std::move(arguments)});
  Finished finished;
  finished.exit_code = process.wait(limit);
  if (!finished.exit_code) process.kill();
  process.wait_for_end_of_output(std::chrono::seconds(5));
  finished.out = process.out();
  finished.err = process.err();
  return finished;
}

}  // namespace lookback::support
