#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "server/base/log_gate.hpp"
#include "server/pictures/job.hpp"
#include "server/pictures/options.hpp"
#include "store/base/descriptor.hpp"

/// The way of a picture: a request finds its key picture in the presentation (`key_picture`) and asks the
/// cache (`picture_cache`); the first to ask posts a job here. One of these threads takes the most important
/// job, reads its samples from the store, sends them to its process (`worker_process`, `worker/`) and gets
/// the encoded pictures back.
namespace lookback::server::pictures {

/// What a job is for, the first to be shed first (contract: animated clips, re-encoded MP4, sheets,
/// thumbnails).
enum class Purpose : std::uint8_t { clip, mp4, sheet, thumbnail };
inline constexpr std::size_t purposes = 4;
std::string_view name_of(Purpose purpose);

/// What has become of jobs since the start.
struct JobCounts {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;  ///< nothing could be decoded, or it cannot be read; crashed and timed_out beside
  std::uint64_t crashed = 0, timed_out = 0;       ///< each cost a process
  std::array<std::uint64_t, purposes> skipped{};  ///< by purpose: the queue was full, or the wait too long
  std::uint64_t waiting = 0, running = 0;         ///< now
};

/// The picture workers and their queue. Thread-safe. Everything that jobs refer to outlives it.
class Workers {
 public:
  /// Called on one of these threads before the job is sent: reads what it needs. May block. Errors: whatever
  /// it says; the job has then failed.
  using Prepare = std::function<Result<Job>()>;
  /// Called once, on one of these threads, or on the caller's when the job is refused. Must not block.
  using Done = std::function<void(Result<Reply>)>;

  explicit Workers(Options options);
  ~Workers();

  const Options& options() const { return options_; }

  /// Queues a job. Where the queue is full for its purpose, or it has waited for `max_wait`, it is skipped;
  /// thumbnails may use all of the queue, sheets three quarters of it, MP4s half, clips a quarter.
  void submit(Purpose purpose, Prepare prepare, Done done);
  /// Ends what waits and what runs with shutting_down, and every process. Idempotent; what is submitted later
  /// is refused.
  void stop();

  JobCounts counts() const;
  /// For a job that was due, and was not even submitted.
  void count_skipped(Purpose purpose);

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    Purpose purpose = Purpose::clip;
    Prepare prepare;
    Done done;
    Clock::time_point since;
  };

  void run();
  /// False: the workers stop.
  bool take(Waiting& job, std::vector<Waiting>& expired);
  void drop_expired(std::vector<Waiting>& expired);
  std::size_t waiting() const;
  void count(const Result<Reply>& outcome);
  void tell(Purpose purpose, const boost::system::error_code& error);

  const Options options_;
  LogGate log_gate_{10, std::chrono::seconds(1)};
  Descriptor stop_event_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::array<std::deque<Waiting>, purposes> queues_;  ///< by purpose
  JobCounts counts_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lookback::server::pictures
