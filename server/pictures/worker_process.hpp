#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "server/pictures/job.hpp"
#include "server/pictures/options.hpp"
#include "store/base/descriptor.hpp"

namespace lookback::server::pictures {

/// One worker process and the socket to it. It is started at the first job, and anew after a crash, a hang or
/// `jobs_per_process` jobs. Belongs to one thread, which it blocks.
class WorkerProcess {
 public:
  /// `stop`: becomes readable when the server stops; an exchange under way then ends.
  WorkerProcess(const Options& options, int stop) : options_(options), stop_(stop) {}
  ~WorkerProcess() { end(); }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  /// Sends a whole message and waits for the payload of the answer, `max_time` at most. An error ends the
  /// process: crashed, timed_out, cannot_start, bad_message, shutting_down.
  Result<Slice> exchange(const std::string& message);
  /// 0: none runs.
  pid_t pid() const { return pid_; }

 private:
  using Clock = std::chrono::steady_clock;
  Result<void> start();
  Result<void> send(const std::string& message, Clock::time_point deadline);
  Result<void> receive(std::byte* out, std::size_t size, Clock::time_point deadline);
  Result<Slice> receive_message(Clock::time_point deadline);
  Result<void> wait_for(short events, Clock::time_point deadline);
  /// Ends the process, if there is one; says what it has died of before, if it has.
  boost::system::error_code end();

  const Options& options_;
  const int stop_;
  Descriptor socket_;
  pid_t pid_ = 0;
  std::size_t jobs_ = 0;
};

}  // namespace lookback::server::pictures
