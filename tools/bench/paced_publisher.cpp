// Publishes a clip over RTMP or SRT (MPEG-TS) in an endless loop, each packet exactly when it is due.
//
//   paced_publisher [--trace | --trace-all] CLIP URL...
//
// One thread for each URL; their frames and sync samples are spread over two seconds, so that streams do not
// march in step. Each packet is flushed as soon as it is due: no buffering, no catching up in bursts as
// `ffmpeg -re` does. With --trace a line "INDEX NANOSECONDS" is printed for each video packet of the first
// URL: its number since the start, and CLOCK_MONOTONIC at the moment when the last of its bytes was handed to
// the kernel, or to libsrt. With --trace-all the same for every URL, its number (from 0) in front. Ends on
// SIGTERM or SIGINT with 0, and with 1 when the clip cannot be read or a server ends a connection.
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/mathematics.h>
}

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr AVRational nanoseconds{1, 1'000'000'000};
constexpr double stagger_s = 2.0;

std::atomic<bool> stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // the signal handler writes it

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * second_ns + now.tv_nsec;
}

/// Also returns early, at a signal.
void sleep_until(std::int64_t time_ns) {
  const timespec at{time_ns / second_ns, time_ns % second_ns};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

void check(int code, const std::string& what) {
  if (code >= 0) return;
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  throw std::runtime_error(what + ": " + text);
}

struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
using Packet = std::unique_ptr<AVPacket, FreePacket>;

/// One turn of the loop, in order of DTS; the times are in nanoseconds and start at 0. Immutable once it is
/// read.
class Clip {
 public:
  explicit Clip(const std::string& path) {
    check(avformat_open_input(&input_, path.c_str(), nullptr, nullptr), path);
    check(avformat_find_stream_info(input_, nullptr), path);
    video_ = av_find_best_stream(input_, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    check(video_, path + " has no video");
    read();
    fit();
  }
  ~Clip() { avformat_close_input(&input_); }
  Clip(const Clip&) = delete;
  Clip& operator=(const Clip&) = delete;

  const std::vector<Packet>& packets() const { return packets_; }
  std::int64_t period_ns() const { return period_ns_; }
  int video() const { return video_; }
  unsigned streams() const { return input_->nb_streams; }
  const AVCodecParameters* format(unsigned stream) const { return input_->streams[stream]->codecpar; }

 private:
  void read() {
    for (;;) {
      Packet packet(av_packet_alloc());
      const int code = av_read_frame(input_, packet.get());
      if (code == AVERROR_EOF) break;
      check(code, "reading the clip");
      av_packet_rescale_ts(packet.get(), input_->streams[packet->stream_index]->time_base, nanoseconds);
      packets_.push_back(std::move(packet));
    }
  }

  /// The video gives the length; sound outside of it (the encoder's priming) is left out, so that turns join.
  void fit() {
    for (const auto& packet : packets_) {
      if (packet->stream_index == video_) period_ns_ += packet->duration;
    }
    std::erase_if(packets_, [this](const Packet& each) {
      return each->stream_index != video_ && (each->dts < 0 || each->dts >= period_ns_);
    });
    if (packets_.empty() || period_ns_ <= 0) throw std::runtime_error("the clip is empty");
    std::stable_sort(packets_.begin(), packets_.end(),
                     [](const Packet& a, const Packet& b) { return a->dts < b->dts; });
    const auto first = packets_.front()->dts;
    for (auto& packet : packets_) {
      packet->dts -= first;
      packet->pts -= first;
    }
  }

  AVFormatContext* input_ = nullptr;
  int video_ = -1;
  std::int64_t period_ns_ = 0;
  std::vector<Packet> packets_;
};

/// A connection that publishes `clip`. Belongs to its thread.
class Publisher {
 public:
  Publisher(const Clip& clip, const std::string& url) : clip_(clip), url_(url) {
    const char* format = url.starts_with("srt:") ? "mpegts" : "flv";
    check(avformat_alloc_output_context2(&output_, nullptr, format, url.c_str()), url);
    for (unsigned i = 0; i < clip.streams(); ++i) {
      auto* stream = avformat_new_stream(output_, nullptr);
      if (stream == nullptr) throw std::bad_alloc();
      check(avcodec_parameters_copy(stream->codecpar, clip.format(i)), url);
      stream->codecpar->codec_tag = 0;
    }
    check(avio_open2(&output_->pb, url.c_str(), AVIO_FLAG_WRITE, nullptr, nullptr), url);
    AVDictionary* options = nullptr;
    av_dict_set(&options, "flvflags", "no_duration_filesize", 0);
    const int code = avformat_write_header(output_, &options);
    av_dict_free(&options);
    check(code, url);
  }
  ~Publisher() {
    avio_closep(&output_->pb);
    avformat_free_context(output_);
  }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// With `trace`, each line of the trace begins with it.
  void run(std::int64_t start_ns, const std::optional<std::string>& trace) {
    std::uint64_t index = 0;
    for (std::int64_t turn_ns = 0; !stopping; turn_ns += clip_.period_ns()) {
      for (const auto& packet : clip_.packets()) {
        sleep_until(start_ns + turn_ns + packet->dts);
        if (stopping) break;
        send(*packet, turn_ns);
        if (!trace || packet->stream_index != clip_.video()) continue;
        std::printf("%s%llu %lld\n", trace->c_str(), static_cast<unsigned long long>(index++),
                    static_cast<long long>(now_ns()));
        std::fflush(stdout);
      }
    }
    check(av_write_trailer(output_), url_);
  }

 private:
  void send(const AVPacket& packet, std::int64_t turn_ns) {
    Packet copy(av_packet_clone(&packet));
    if (!copy) throw std::bad_alloc();
    copy->dts += turn_ns;
    copy->pts += turn_ns;
    av_packet_rescale_ts(copy.get(), nanoseconds, output_->streams[copy->stream_index]->time_base);
    check(av_write_frame(output_, copy.get()), url_);
    avio_flush(output_->pb);
    check(output_->pb->error, url_);
  }

  const Clip& clip_;
  const std::string url_;
  AVFormatContext* output_ = nullptr;
};

void stop(int) { stopping = true; }

void install_handlers() {
  struct sigaction action {};
  action.sa_handler = stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

/// Publisher `number`'s share of the stagger: multiples of the golden ratio spread evenly, however many there
/// are.
std::int64_t phase_ns(std::size_t number) {
  const double turns = static_cast<double>(number) * 0.6180339887498949;
  return static_cast<std::int64_t>((turns - std::floor(turns)) * stagger_s * second_ns);
}

}  // namespace

int main(int count, char** words) {
  std::vector<std::string> arguments(words + 1, words + count);
  const bool trace_first = std::erase(arguments, "--trace") > 0;
  const bool trace_all = std::erase(arguments, "--trace-all") > 0;
  if (arguments.size() < 2) {
    std::fprintf(stderr, "usage: paced_publisher [--trace | --trace-all] CLIP URL...\n");
    return 2;
  }
  av_log_set_level(AV_LOG_ERROR);
  avformat_network_init();
  install_handlers();
  std::atomic<bool> failed{false};
  try {
    const Clip clip(arguments[0]);
    const auto begin_ns = now_ns();
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      threads.emplace_back([&, i] {
        try {
          sleep_until(begin_ns + phase_ns(i - 1));
          if (stopping) return;
          Publisher publisher(clip, arguments[i]);
          std::optional<std::string> trace;
          if (trace_all) trace = std::to_string(i - 1) + " ";
          if (trace_first && i == 1) trace = "";
          publisher.run(now_ns(), trace);
        } catch (const std::exception& e) {
          std::fprintf(stderr, "paced_publisher: %s\n", e.what());
          failed = stopping = true;
        }
      });
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "paced_publisher: %s\n", e.what());
    failed = true;
  }
  return failed ? 1 : 0;
}
