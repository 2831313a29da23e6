#include "server/pictures/worker/main.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <new>
#include <string>

#include "server/pictures/errc.hpp"
#include "server/pictures/job.hpp"
#include "server/pictures/worker/av.hpp"
#include "server/pictures/worker/perform.hpp"
#include "server/pictures/worker/sandbox.hpp"

namespace lookback::server::pictures {
namespace {

constexpr int socket = STDIN_FILENO;

/// False: the server has closed, which is the end.
bool read_all(std::byte* out, std::size_t size) {
  while (size > 0) {
    const auto count = ::read(socket, out, size);
    if (count == 0 || (count < 0 && errno != EINTR)) return false;
    if (count < 0) continue;
    out += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

bool write_all(const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = ::write(socket, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return true;
}

/// Nothing: the server has closed, or speaks another language.
Result<Slice> read_job() {
  std::vector<std::byte> bytes(message_head_bytes);
  if (!read_all(bytes.data(), bytes.size())) return Errc::shutting_down;
  const auto size = payload_bytes(bytes, max_job_bytes);
  if (!size) return size.error();
  bytes.resize(*size);
  if (!read_all(bytes.data(), bytes.size())) return Errc::shutting_down;
  return make_slice(std::move(bytes));
}

Reply refusal(Verdict verdict) {
  Reply reply;
  reply.verdict = verdict;
  return reply;
}

std::string answer_to(const Slice& message) try {
  const auto job = decode_job(message);
  if (!job) return encode(refusal(Verdict::bad_job));
  if (job->max_cpu_ms != 0) worker::limit_cpu(job->max_cpu_ms);
  auto text = encode(worker::perform(*job));
  if (text.size() > max_reply_bytes) return encode(refusal(Verdict::too_large));
  return text;
} catch (const std::bad_alloc&) {
  return encode(refusal(Verdict::out_of_memory));
}

}  // namespace

int run_worker(std::string_view max_memory_bytes) {
  std::uint64_t memory = 0;
  const auto* last = max_memory_bytes.data() + max_memory_bytes.size();
  const auto [end, error] = std::from_chars(max_memory_bytes.data(), last, memory);
  if (error != std::errc() || end != last) {
    std::fprintf(stderr, "lookback worker: started by the server only\n");
    return 2;
  }
  av_log_set_level(AV_LOG_QUIET);  // a stream's damage is its own
  if (const auto confined = worker::enter_sandbox(memory); !confined) {
    std::fprintf(stderr, "lookback worker: cannot be confined: %s\n", confined.error().message().c_str());
    return 1;
  }
  for (;;) {
    const auto message = read_job();
    if (!message) ::_exit(message.error() == Errc::shutting_down ? 0 : 1);
    if (!write_all(answer_to(*message))) ::_exit(1);
  }
}

}  // namespace lookback::server::pictures
