#include "server/pictures/workers.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <exception>
#include <utility>

#include "server/pictures/errc.hpp"
#include "server/pictures/worker_process.hpp"

namespace lookback::server::pictures {
namespace {

boost::system::error_code error_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::done:
      return {};
    case Verdict::no_picture:
      return Errc::no_picture;
    case Verdict::too_large:
      return Errc::too_large;
    case Verdict::unsupported:
      return Errc::unsupported;
    case Verdict::out_of_memory:
      return Errc::crashed;
    case Verdict::bad_job:
      break;
  }
  return Errc::bad_message;
}

/// One job, from the store to the encoded pictures.
Result<Reply> perform(WorkerProcess& process, const Workers::Prepare& prepare, const Options& options) try {
  auto job = prepare();
  if (!job) return job.error();
  job->max_pixels = options.max_pixels;
  job->max_cpu_ms = static_cast<std::uint32_t>(options.max_cpu.count());
  const auto message = encode(*job);
  if (message.size() > max_job_bytes) return Errc::too_large;
  const auto answer = process.exchange(message);
  if (!answer) return answer.error();
  auto reply = decode_reply(answer->bytes);
  if (!reply) return reply.error();
  if (const auto error = error_of(reply->verdict)) return error;
  return reply;
} catch (const std::bad_alloc&) {  // out of memory costs one job, and not the server
  return Errc::crashed;
}

}  // namespace

std::string_view name_of(Purpose purpose) {
  constexpr std::array<std::string_view, purposes> names{"clip", "mp4", "sheet", "thumbnail"};
  return names[static_cast<std::size_t>(purpose)];
}

Workers::Workers(Options options) : options_(std::move(options)), stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  for (std::size_t i = 0; i < options_.workers; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() {
  stop();
  for (auto& thread : threads_) thread.join();
}

std::size_t Workers::waiting() const {
  std::size_t sum = 0;
  for (const auto& queue : queues_) sum += queue.size();
  return sum;
}

void Workers::submit(Purpose purpose, Prepare prepare, Done done) {
  const auto index = static_cast<std::size_t>(purpose);
  boost::system::error_code refused;
  {
    const std::lock_guard lock(mutex_);
    const auto share = options_.max_queue * (index + 1) / purposes;
    if (stopping_) {
      refused = Errc::shutting_down;
    } else if (waiting() >= share) {
      refused = Errc::skipped;
      ++counts_.skipped[index];
    } else {
      queues_[index].push_back({purpose, std::move(prepare), std::move(done), Clock::now()});
    }
  }
  if (refused) return done(refused);
  changed_.notify_one();
}

void Workers::drop_expired(std::vector<Waiting>& expired) {
  const auto oldest = Clock::now() - options_.max_wait;
  for (auto& queue : queues_) {
    while (!queue.empty() && queue.front().since < oldest) {
      ++counts_.skipped[static_cast<std::size_t>(queue.front().purpose)];
      expired.push_back(std::move(queue.front()));
      queue.pop_front();
    }
  }
}

bool Workers::take(Waiting& job, std::vector<Waiting>& expired) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || waiting() > 0; });
  if (stopping_) return false;
  drop_expired(expired);
  for (std::size_t i = purposes; i-- > 0;) {
    if (queues_[i].empty()) continue;
    job = std::move(queues_[i].front());
    queues_[i].pop_front();
    ++counts_.running;
    return true;
  }
  return true;  // all had expired
}

void Workers::count(const Result<Reply>& outcome) {
  const std::lock_guard lock(mutex_);
  --counts_.running;
  if (outcome) {
    ++counts_.done;
  } else {
    ++counts_.failed;
    if (outcome.error() == Errc::crashed) ++counts_.crashed;
    if (outcome.error() == Errc::timed_out) ++counts_.timed_out;
  }
}

/// One stream that kills its decoder does so for everybody who asks.
void Workers::tell(Purpose purpose, const boost::system::error_code& error) {
  const auto held_back = log_gate_.pass(Clock::now());
  if (!held_back) return;
  spdlog::warn("pictures: a {} failed: {}{}", name_of(purpose), error.message(),
               *held_back == 0 ? "" : fmt::format(" ({} more such lines held back)", *held_back));
}

void Workers::run() {
  WorkerProcess process(options_, stop_event_.get());
  for (;;) {
    Waiting job;
    std::vector<Waiting> expired;
    if (!take(job, expired)) return;
    for (const auto& late : expired) late.done(Errc::skipped);
    if (!job.prepare) continue;
    auto outcome = perform(process, job.prepare, options_);
    count(outcome);
    const bool is_fault =
        !outcome && (outcome.error() == Errc::crashed || outcome.error() == Errc::timed_out ||
                     outcome.error() == Errc::cannot_start);
    if (is_fault) tell(job.purpose, outcome.error());
    job.done(std::move(outcome));
  }
}

void Workers::stop() {
  std::array<std::deque<Waiting>, purposes> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    std::swap(left, queues_);
  }
  changed_.notify_all();
  const std::uint64_t one = 1;
  if (::write(stop_event_.get(), &one, sizeof one) < 0) spdlog::error("pictures: cannot wake the workers");
  for (const auto& queue : left)
    for (const auto& job : queue) job.done(Errc::shutting_down);
}

void Workers::count_skipped(Purpose purpose) {
  const std::lock_guard lock(mutex_);
  ++counts_.skipped[static_cast<std::size_t>(purpose)];
}

JobCounts Workers::counts() const {
  const std::lock_guard lock(mutex_);
  auto counts = counts_;
  counts.waiting = waiting();
  return counts;
}

}  // namespace lookback::server::pictures
