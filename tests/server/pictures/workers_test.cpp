#include "server/pictures/workers.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "server/pictures/errc.hpp"
#include "server/pictures/worker_process.hpp"
#include "tests/server/pictures/film.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/server.hpp"

using namespace lookback;
using namespace lookback::server::pictures;
using namespace lookback::test;
using namespace std::chrono_literals;

namespace {

Options options() {
  Options options;
  options.program = support::Server::binary().string();
  options.max_time = 20s;
  return options;
}

Job good_job() {
  Job job;
  job.sources.push_back(read_film(support::media_folder() / "sintel_360p24_gop2.mp4", 1));
  job.outputs = {{ImageFormat::jpeg, 160, 0, Fit::contain, 80}};
  return job;
}

/// Waits for outcomes in the order in which they come.
class Outcomes {
 public:
  Workers::Done done(std::string name = "") {
    return [this, name](Result<Reply> outcome) {
      const std::lock_guard lock(mutex_);
      all_.emplace_back(name, std::move(outcome));
    };
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }
  std::vector<std::pair<std::string, Result<Reply>>> wait(std::size_t count_wanted) {
    REQUIRE(support::eventually([&] { return count() >= count_wanted; }, 60s));
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, Result<Reply>>> all_;
};

/// Runs one job to its end.
Result<Reply> run_job(Workers& workers, const Job& job) {
  Outcomes outcomes;
  workers.submit(
      Purpose::thumbnail, [job] { return Result<Job>(job); }, outcomes.done());
  return outcomes.wait(1).front().second;
}

/// A program that does something else at its first start, and is a worker from then on.
fs::path failing_once(const TempDir& dir, const std::string& failure) {
  const auto script = dir.path() / "program";
  std::ofstream(script) << "#!/bin/sh\nif [ ! -e " << (dir.path() / "failed").string() << " ]; then\n  : >"
                        << (dir.path() / "failed").string() << "\n  " << failure << "\nfi\nexec "
                        << support::Server::binary().string() << " \"$@\"\n";
  fs::permissions(script, fs::perms::owner_all);
  return script;
}

std::string status_of(pid_t pid, const std::string& field) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(field + ":\t")) return line.substr(field.size() + 2);
  return {};
}

}  // namespace

TEST_CASE("a worker gives the picture that the same code gives in this process", "[pictures][workers]") {
  Workers workers(options());
  const auto reply = run_job(workers, good_job());
  REQUIRE(reply.has_value());
  REQUIRE(reply->images.size() == 1);
  CHECK(reply->images[0].width == 160);
  CHECK(workers.counts().done == 1);
  CHECK(workers.counts().failed == 0);
}

TEST_CASE("a worker is confined: a system call filter, no privileges, last in the queue for the CPU",
          "[pictures][workers]") {
  const auto setup = options();
  WorkerProcess process(setup, -1);
  REQUIRE(process.exchange(encode(good_job())).has_value());
  const auto pid = process.pid();
  CHECK(status_of(pid, "Seccomp") == "2");  // SECCOMP_MODE_FILTER
  CHECK(status_of(pid, "NoNewPrivs") == "1");
  CHECK(status_of(pid, "Threads") == "1");
  CHECK(::getpriority(PRIO_PROCESS, static_cast<id_t>(pid)) == 19);
  CHECK(::sched_getscheduler(pid) == SCHED_BATCH);
}

TEST_CASE("a worker that dies, hangs or says nonsense costs one job, and the next one is fine",
          "[pictures][workers]") {
  struct Failure {
    const char* name;
    const char* what;
    Errc error;
    std::uint64_t crashed, timed_out;
  };
  const Failure failures[] = {
      {"abort", "kill -ABRT $$", Errc::crashed, 1, 0},
      {"end", "exit 1", Errc::crashed, 1, 0},
      {"hang", "exec sleep 1000", Errc::timed_out, 0, 1},
      {"endless loop", "while :; do :; done", Errc::timed_out, 0, 1},
      {"nonsense", "printf 'nonsense and more' >&0; exec sleep 1000", Errc::bad_message, 0, 0},
  };
  for (const auto& failure : failures) {
    CAPTURE(failure.name);
    const TempDir dir;
    auto setup = options();
    setup.program = failing_once(dir, failure.what);
    if (failure.timed_out != 0) setup.max_time = 700ms;
    Workers workers(setup);
    CHECK(run_job(workers, good_job()).error() == failure.error);
    CHECK(workers.counts().failed == 1);
    CHECK(workers.counts().crashed == failure.crashed);
    CHECK(workers.counts().timed_out == failure.timed_out);
    bool good = false;  // a slow machine may need more than one try within 700 ms
    for (int i = 0; i < 20 && !good; ++i) good = run_job(workers, good_job()).has_value();
    CHECK(good);
  }
}

TEST_CASE("a program that is not there is told, and costs no more than the job", "[pictures][workers]") {
  auto setup = options();
  setup.program = "/nothing/here";
  Workers workers(setup);
  CHECK(run_job(workers, good_job()).error() == Errc::cannot_start);
}

TEST_CASE("a job that needs more memory or CPU time than allowed fails, and the next one is fine",
          "[pictures][workers]") {
  auto setup = options();
  SECTION("memory") {
    setup.max_memory_bytes = 48u << 20;
    Workers workers(setup);
    auto large = good_job();
    large.outputs.front() = {ImageFormat::jpeg, 8'192, 8'192, Fit::fill, 80};  // 201 MB in RGB
    CHECK(run_job(workers, large).error() == Errc::crashed);
    CHECK(run_job(workers, good_job()).has_value());
  }
  SECTION("CPU time") {
    setup.max_cpu = 1s;
    setup.max_time = 60s;
    Workers workers(setup);
    auto long_job = good_job();
    auto& source = long_job.sources.front();
    const auto sample = source.samples.front();
    source.samples.assign(4'000, sample);  // some 4,000 pictures of 5 ms
    long_job.outputs = {{ImageFormat::webp, 640, 0, Fit::contain, 100}};
    CHECK(run_job(workers, long_job).error() == Errc::timed_out);
    CHECK(run_job(workers, good_job()).has_value());
  }
}

TEST_CASE("a source that is larger than pictures.max_pixels is refused", "[pictures][workers]") {
  auto setup = options();
  setup.max_pixels = 100'000;
  Workers workers(setup);
  CHECK(run_job(workers, good_job()).error() == Errc::too_large);
}

TEST_CASE("a process is replaced after its number of jobs", "[pictures][workers]") {
  auto setup = options();
  setup.jobs_per_process = 2;
  WorkerProcess process(setup, -1);
  std::vector<pid_t> pids;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(process.exchange(encode(good_job())).has_value());
    pids.push_back(process.pid());
  }
  CHECK(pids[0] == pids[1]);
  CHECK(pids[1] != pids[2]);
  CHECK(pids[2] == pids[3]);
}

TEST_CASE("what is less important is shed first, and done last", "[pictures][workers]") {
  auto setup = options();
  setup.max_queue = 8;
  Workers workers(setup);
  Outcomes outcomes;
  // The only worker is held by a job that waits for this test, so that the others queue.
  std::mutex held;
  held.lock();
  std::atomic<bool> running{false};
  workers.submit(
      Purpose::thumbnail,
      [&]() -> Result<Job> {
        running = true;
        const std::lock_guard wait(held);
        return good_job();
      },
      outcomes.done("held"));
  REQUIRE(support::eventually([&] { return running.load(); }));
  const auto add = [&](Purpose purpose, int count) {
    for (int i = 0; i < count; ++i)
      workers.submit(
          purpose, [] { return Result<Job>(Errc::no_picture); },
          outcomes.done(std::string(name_of(purpose))));
  };
  add(Purpose::clip, 3);       // 2 of 8 places
  add(Purpose::mp4, 3);        // to 4
  add(Purpose::sheet, 3);      // to 6
  add(Purpose::thumbnail, 3);  // to 8
  for (std::size_t i = 0; i < purposes; ++i) CHECK(workers.counts().skipped[i] == 1);
  CHECK(workers.counts().waiting == 8);
  held.unlock();
  const auto all = outcomes.wait(13);
  std::vector<std::string> order;
  for (const auto& [name, outcome] : all)
    if (outcome.has_error() && outcome.error() == Errc::no_picture) order.push_back(name);
  CHECK(order ==
        std::vector<std::string>{"thumbnail", "thumbnail", "sheet", "sheet", "mp4", "mp4", "clip", "clip"});
}

TEST_CASE("a job that has waited too long is skipped", "[pictures][workers]") {
  auto setup = options();
  setup.max_wait = 1ms;
  Workers workers(setup);
  Outcomes outcomes;
  const auto slow = [] {
    std::this_thread::sleep_for(50ms);
    return Result<Job>(Errc::no_picture);
  };
  for (int i = 0; i < 5; ++i) workers.submit(Purpose::sheet, slow, outcomes.done());
  outcomes.wait(5);
  CHECK(workers.counts().skipped[static_cast<std::size_t>(Purpose::sheet)] >= 3);
}

TEST_CASE("stopping ends what waits and what runs at once, and leaves no process", "[pictures][workers]") {
  const TempDir dir;
  auto setup = options();
  setup.program = failing_once(dir, "exec sleep 1000");
  Outcomes outcomes;
  const auto start = std::chrono::steady_clock::now();
  {
    Workers workers(setup);
    for (int i = 0; i < 3; ++i)
      workers.submit(
          Purpose::thumbnail, [] { return Result<Job>(good_job()); }, outcomes.done());
    REQUIRE(support::eventually([&] { return fs::exists(dir.path() / "failed"); }));
    workers.stop();
    workers.submit(
        Purpose::thumbnail, [] { return Result<Job>(good_job()); }, outcomes.done());
  }
  CHECK(std::chrono::steady_clock::now() - start < 10s);
  for (const auto& [name, outcome] : outcomes.wait(4)) CHECK(outcome.error() == Errc::shutting_down);
}
