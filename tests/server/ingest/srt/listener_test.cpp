// Callers on libsrt against the listener, whose streams only record.
#include "server/ingest/srt/listener.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "server/ingest/srt/socket.hpp"
#include "tests/server/ingest/recording_ingest.hpp"
#include "tests/server/ingest/ts/demuxed.hpp"
#include "tests/server/ingest/ts/ts_writer.hpp"
#include "tests/support/srt_caller.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

/// Rules by stream name. Set up before callers come.
class RuleBook : public PublishGuard {
 public:
  Result<PublishTerms> check(const PublishRequest& request) const override {
    if (auto name = check_stream_name(request.stream); !name) return name.error();
    if (const auto found = errors.find(request.stream); found != errors.end()) return found->second;
    const auto found = passphrases.find(request.stream);
    return PublishTerms{found == passphrases.end() ? "" : found->second};
  }
  std::map<std::string, boost::system::error_code> errors;
  std::map<std::string, std::string> passphrases;
};

/// The listener over two network threads. Stops, runs its contexts dry and joins when destroyed.
class SrtServer {
 public:
  explicit SrtServer(srt::Options options = {}) {
    if (options.listen == srt::Options().listen) options.listen = {"127.0.0.1:0"};
    options.latency = 20ms;
    auto opened = srt::Listener::open({&contexts_[0], &contexts_[1]}, blocking_, options, ingest, rules);
    if (!opened) throw std::runtime_error("cannot listen: " + opened.error().message());
    listener_ = std::move(*opened);
    for (int i = 0; i < 2; ++i) {
      guards_.emplace_back(contexts_[i].get_executor());
      threads_.emplace_back([this, i] { contexts_[i].run(); });
    }
  }
  ~SrtServer() { stop(); }

  std::uint16_t port(std::size_t index = 0) const { return listener_->ports()[index]; }
  bool wait_connections(std::size_t count, std::chrono::milliseconds limit = 20s) const {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (listener_->connections() != count) {
      if (std::chrono::steady_clock::now() >= until) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }
  void stop() {
    listener_->stop();
    guards_.clear();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  RecordingIngest ingest;
  RuleBook rules;

 private:
  boost::asio::io_context contexts_[2] = {boost::asio::io_context(1), boost::asio::io_context(1)};
  std::vector<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
  boost::asio::thread_pool blocking_{1};
  std::unique_ptr<srt::Listener> listener_;
  std::vector<std::thread> threads_;
};

/// A picture every 40 ms and its sound.
std::string short_stream(unsigned pictures) {
  TsWriter ts;
  for (unsigned i = 0; i < pictures; ++i) {
    if (i % 25 == 0) {
      ts.pat();
      ts.pmt({{0x1b, video_pid}, {0x0f, audio_pid}});
    }
    const auto time = 90'000 + i * 3'600u;
    ts.pes(video_pid, i % 25 == 0 ? key_picture("key") : picture("next"), time);
    ts.pes(audio_pid, adts("sound"), time, {}, true, 0xc0);
  }
  return ts.bytes;
}

std::size_t samples_in(const std::vector<IngestEvent>& events) {
  std::size_t count = 0;
  for (const auto& event : events) count += std::holds_alternative<packager::SourceSample>(event) ? 1 : 0;
  return count;
}

/// Waits for that many samples: a caller that leaves before its latency is over takes the rest along.
bool heard(const std::shared_ptr<Recording>& recording, std::size_t samples) {
  const auto formats = 2u;
  return recording && recording->wait([&](std::size_t events, int) { return events >= samples + formats; });
}

}  // namespace

TEST_CASE("a caller's stream arrives whole, up to the last picture, and its end closes the publication",
          "[srt][listener]") {
  SrtServer server;
  const auto bytes = short_stream(100);
  {
    SrtCaller caller(server.port(), {.stream_id = "#!::r=live/news,m=publish,s=S3"});
    REQUIRE(caller.reject_code() == 0);
    REQUIRE(caller.send(bytes));
    REQUIRE(heard(server.ingest.recording(), 199));
  }
  const auto recording = server.ingest.recording();
  CHECK(recording->wait_closed());
  CHECK(recording->request.stream == "live/news");
  CHECK(recording->request.key == "S3");
  CHECK(recording->request.protocol == "srt");
  CHECK(recording->request.from_loopback);
  CHECK(recording->request.peer.starts_with("127.0.0.1:"));
  CHECK(recording->request.encoder == srt::library_version());
  CHECK(samples_in(recording->events()) == 200);
  CHECK(server.wait_connections(0));
}

TEST_CASE("a refused caller sees the reason as a code", "[srt][listener]") {
  struct Case {
    std::string id;
    int code;
  };
  const auto one = GENERATE(values<Case>({{"#!::r=../../x,m=publish", 1400},
                                          {"live/a\nb", 1400},
                                          {"a/b/c/d", 1400},
                                          {"publish:" + std::string(65, 'a'), 1400},
                                          {"#!::m=publish", 1400},
                                          {"live/locked", 1401},
                                          {"api/x", 1403},
                                          {"", 1404},
                                          {"#!::r=live/a,m=request", 1405},
                                          {"read:live/a", 1405},
                                          {"live/taken", 1409},
                                          {"live/full", 1402},
                                          {"live/later", 1503}}));
  SrtServer server;
  server.rules.errors = {{"live/locked", make_error_code(Errc::wrong_key)},
                         {"live/taken", make_error_code(Errc::already_publishing)},
                         {"live/full", make_error_code(Errc::too_many_streams)},
                         {"live/later", make_error_code(Errc::shutting_down)}};
  CAPTURE(one.id);
  CHECK(SrtCaller(server.port(), {.stream_id = one.id}).reject_code() == one.code);
  CHECK(server.ingest.recordings().empty());
  CHECK(server.wait_connections(0));
}

TEST_CASE("a port with a stream of its own takes callers without a stream id", "[srt][listener]") {
  srt::Options options;
  options.listen = {"127.0.0.1:0", "127.0.0.1:0/live/cam"};
  SrtServer server(options);
  CHECK(SrtCaller(server.port(0), {}).reject_code() == 1404);
  SrtCaller caller(server.port(1), {});
  REQUIRE(caller.reject_code() == 0);
  const auto recording = server.ingest.recording();
  REQUIRE(recording);
  CHECK(recording->request.stream == "live/cam");
}

TEST_CASE("a stream with a passphrase takes AES-128 and AES-256 with it, and nothing else",
          "[srt][listener]") {
  constexpr int bad_secret = 10, unsecure = 11;  // SRT_REJ_BADSECRET, SRT_REJ_UNSECURE
  SrtServer server;
  server.rules.passphrases["live/secret"] = "correct horse";
  const int key_bytes = GENERATE(16, 32);
  CHECK(SrtCaller(server.port(), {"live/secret", "wrong horse!", key_bytes}).reject_code() == bad_secret);
  CHECK(SrtCaller(server.port(), {"live/secret", "", key_bytes}).reject_code() == unsecure);
  CHECK(SrtCaller(server.port(), {"live/open", "correct horse", key_bytes}).reject_code() == unsecure);
  CHECK(server.ingest.recordings().empty());
  {
    SrtCaller caller(server.port(), {"live/secret", "correct horse", key_bytes});
    REQUIRE(caller.reject_code() == 0);
    REQUIRE(caller.send(short_stream(50)));
    REQUIRE(heard(server.ingest.recording(), 99));
  }
  const auto recording = server.ingest.recording();
  CHECK(recording->wait_closed());
  CHECK(samples_in(recording->events()) == 100);
}

TEST_CASE("connections are bounded, and those that fail make room again", "[srt][listener]") {
  srt::Options options;
  options.max_connections_per_address = 2;
  SrtServer server(options);
  SrtCaller first(server.port(), {.stream_id = "live/a"}), second(server.port(), {.stream_id = "live/b"});
  REQUIRE(first.connected());
  REQUIRE(second.connected());
  CHECK(SrtCaller(server.port(), {.stream_id = "live/c"}).reject_code() == 1402);
  first.close();
  CHECK(server.wait_connections(1));
  SrtCaller third(server.port(), {.stream_id = "live/c"});
  CHECK(third.connected());
}

TEST_CASE("a connection is closed when its stream ends, is refused late, or brings nothing",
          "[srt][listener]") {
  srt::Options options;
  options.first_media_timeout = 200ms;
  options.idle_timeout = 600ms;
  SrtServer server(options);
  SECTION("the stream ends the publication") {
    SrtCaller caller(server.port(), {.stream_id = "live/a"});
    const auto recording = server.ingest.recording();
    REQUIRE(recording);
    recording->end("another publisher took over");
    CHECK(caller.sees_close());
    CHECK(recording->wait_closed());
    CHECK(recording->closed() == "another publisher took over");
  }
  SECTION("the publication refuses what comes") {
    SrtCaller caller(server.port(), {.stream_id = "live/a"});
    const auto recording = server.ingest.recording();
    REQUIRE(recording);
    recording->refuse("too far behind");
    caller.send(short_stream(50));
    CHECK(caller.sees_close());
    CHECK(recording->wait_closed());
    CHECK(recording->closed() == "too far behind");
  }
  SECTION("the stream refuses what the handshake could not know") {
    server.ingest.refuse_with(Errc::already_publishing);
    SrtCaller caller(server.port(), {.stream_id = "live/a"});
    CHECK(caller.connected());
    CHECK(caller.sees_close());
  }
  SECTION("it is no MPEG-TS") {
    SrtCaller caller(server.port(), {.stream_id = "live/a"});
    const auto recording = server.ingest.recording();
    REQUIRE(recording);
    caller.send(std::string(500'000, 'x'), 4);  // a second
    CHECK(caller.sees_close());
    CHECK(recording->wait_closed());
    CHECK(recording->closed() == "no MPEG-TS program came within srt.first_media_timeout");
  }
  SECTION("it is silent") {
    SrtCaller caller(server.port(), {.stream_id = "live/a"});
    CHECK(caller.sees_close());
    CHECK(server.ingest.recording()->wait_closed());
  }
  CHECK(server.wait_connections(0));
}

TEST_CASE("stopping ends all sessions and lets the network threads run dry", "[srt][listener]") {
  SrtServer server;
  SrtCaller one(server.port(), {.stream_id = "live/a"}), two(server.port(), {.stream_id = "live/b"});
  REQUIRE(server.ingest.recording(1));
  server.stop();
  for (const auto& recording : server.ingest.recordings()) {
    CHECK(recording->closed() == "the server is stopping");
  }
  CHECK(one.sees_close());
}

TEST_CASE("the port cannot be taken twice", "[srt][listener]") {
  SrtServer server;
  srt::Options options;
  options.listen = {"127.0.0.1:" + std::to_string(server.port())};
  boost::asio::io_context context(1);
  boost::asio::thread_pool blocking(1);
  const auto again = srt::Listener::open({&context}, blocking, options, server.ingest, server.rules);
  REQUIRE(again.has_error());
  CHECK(again.error() == boost::system::errc::address_in_use);
  // By somebody who is not of this process.
  boost::asio::ip::udp::socket other(context, {boost::asio::ip::address_v4::loopback(), 0});
  options.listen = {"127.0.0.1:" + std::to_string(other.local_endpoint().port())};
  const auto third = srt::Listener::open({&context}, blocking, options, server.ingest, server.rules);
  REQUIRE(third.has_error());
  CHECK(third.error() == boost::system::errc::address_in_use);
}

TEST_CASE("the process has one libsrt, the one that libavformat loads as well", "[srt][library]") {
  std::ifstream maps("/proc/self/maps");
  std::set<std::string> found;
  for (std::string line; std::getline(maps, line);) {
    const auto at = line.rfind("/libsrt");
    if (at != std::string::npos && line.find("/libsrtp") == std::string::npos)
      found.insert(line.substr(at + 1));
  }
  REQUIRE(found.size() == 1);
  CHECK(found.begin()->starts_with("libsrt-gnutls.so"));
}
