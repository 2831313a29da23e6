#pragma once
#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace lookback::support {

/// A child process that cannot outlive its owner: killed by the destructor, and by the kernel
/// (PR_SET_PDEATHSIG) when the thread that started it ends. Its output is captured as it comes.
/// Thread-safe but for construction and destruction.
class Process {
 public:
  struct Options {
    std::vector<std::string> arguments;  ///< the program (looked up in PATH) comes first
    std::vector<std::pair<std::string, std::string>> environment = {};  ///< added to ours
    std::vector<std::string> hidden = {};  ///< names in our environment that it does not get
    std::filesystem::path folder = {};     ///< working directory; empty: ours
  };

  /// Throws std::system_error when the system gives no process or pipe. A program that cannot be started
  /// exits with 127.
  explicit Process(Options options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t id() const { return pid_; }
  bool running() { return !wait(std::chrono::milliseconds(0)); }
  void signal(int number);
  /// The exit code, or 128 + the signal that ended it; empty when it still runs after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit);
  /// SIGKILL, and waits for the end.
  void kill();

  /// What it wrote so far (each at most 16 MiB; later bytes are dropped).
  std::string out() const;
  std::string err() const;
  /// The first complete line of either output that holds `text`; empty when none came within `limit` or
  /// before the process closed its outputs.
  std::optional<std::string> wait_for_line(std::string_view text, std::chrono::milliseconds limit);
  /// Waits until it has closed both outputs: what `out` and `err` give is then all of it.
  bool wait_for_end_of_output(std::chrono::milliseconds limit);

 private:
  void read_outputs(int out, int err);
  std::optional<std::string> find_line(std::string_view text) const;

  static constexpr std::size_t max_output_bytes = 16u << 20;

  pid_t pid_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string out_, err_;
  bool closed_ = false;  ///< both outputs
  std::optional<int> exit_code_;
  std::thread reader_;
};

struct Finished {
  std::optional<int> exit_code;  ///< empty: it ran into the limit and was killed
  std::string out, err;
};

/// Runs a program to its end.
Finished run(std::vector<std::string> arguments, std::chrono::milliseconds limit = std::chrono::seconds(60));

}  // namespace lookback::support
