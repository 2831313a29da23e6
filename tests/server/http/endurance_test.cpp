#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <future>
#include <string>

#include "tests/server/http/raw_client.hpp"
#include "tests/server/http/stage.hpp"

using namespace lookback;
using namespace lookback::test;
using namespace std::chrono_literals;

namespace {

constexpr auto host = "Host: a\r\n\r\n";

/// What freed memory a sanitizer may hold back.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t held_back = 400'000'000;
#else
constexpr std::uint64_t held_back = 0;
#endif

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Leaves the process `spare` more descriptors than it has open, for as long as it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t spare) {
    const int lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(lowest_free);
    ::getrlimit(RLIMIT_NOFILE, &before_);
    auto few = before_;
    few.rlim_cur = static_cast<rlim_t>(lowest_free) + spare;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

Stage::Setup hasty() {
  Stage::Setup setup;
  setup.options.header_timeout = 300ms;
  setup.options.idle_timeout = 500ms;
  setup.options.write_timeout = 500ms;
  return setup;
}

}  // namespace

TEST_CASE("robustness 37: a slow head is told 408 and cut, however steadily it trickles", "[http][timeout]") {
  Stage stage(hasty());
  stage.run();
  HttpClient client(stage.port());
  const auto started = std::chrono::steady_clock::now();
  client.send("GET /livez HTTP/1.1\r\nX: ");
  bool cut = false;
  while (!cut && std::chrono::steady_clock::now() - started < 10s) {
    try {
      client.send("a");
    } catch (const std::runtime_error&) {
      break;
    }
    cut = client.readable(20ms);
  }
  CHECK(client.receive().status == 408);
  CHECK(std::chrono::steady_clock::now() - started < 5s);
  CHECK(stage.counters().timeouts >= 1);
}

TEST_CASE("robustness 37: a slow body, a silent client and an idle one are cut", "[http][timeout]") {
  Stage stage(hasty());
  stage.run();
  HttpClient silent(stage.port()), idle(stage.port()), body(stage.port());
  silent.send("");
  body.send("POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
  CHECK(idle.get("/livez").status == 200);
  CHECK(silent.closes_within(5s));
  CHECK(body.closes_within(5s));
  CHECK(idle.closes_within(5s));
  CHECK(eventually([&] { return stage.counters().connections == 0; }));
}

TEST_CASE("robustness 37: a reader that stops is cut, whether the bytes come from memory or a file",
          "[http][timeout]") {
  Stage stage(hasty());
  stage.run();
  Feed feed(stage, "live/a", 20'000'000);
  feed.segments(1);
  feed.stored_segment(stage.store_segment(std::string(60'000'000, 'x')));
  REQUIRE(eventually(
      [&] { return HttpClient(stage.port()).request("HEAD", feed.segment_path(11)).status == 200; }));
  REQUIRE(eventually([&] { return stage.counters().connections == 0; }));
  RawClient memory(stage.port(), 4096), file(stage.port(), 4096);
  memory.send("GET " + feed.segment_path(10) + " HTTP/1.1\r\n" + host);
  file.send("GET " + feed.segment_path(11) + " HTTP/1.1\r\n" + host);
  CHECK(eventually(
      [&] { return stage.counters().connections_accepted >= 2 && stage.counters().timeouts >= 2; }));
  CHECK(eventually([&] { return stage.counters().connections == 0; }));
}

TEST_CASE("robustness 45: a flood of requests whose answers are not read is bounded", "[http][timeout]") {
  auto setup = hasty();
  setup.options.write_timeout = 3s;
  Stage stage(std::move(setup));
  stage.run();
  Feed feed(stage, "live/a", 100'000);
  feed.segments(1);
  REQUIRE(eventually([&] { return HttpClient(stage.port()).get(feed.playlist_path()).status == 200; }));
  const auto before = resident_bytes();
  RawClient client(stage.port(), 4096);
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "GET " + feed.part_path(10, 0) + " HTTP/1.1\r\n" + host;
  std::size_t sent = 0;
  for (int i = 0; i < 200; ++i) {
    sent += client.send(requests);
    std::this_thread::sleep_for(1ms);
  }
  CHECK(sent < 50'000'000);  // the kernel's buffers are full: the server has stopped reading
  CHECK(resident_bytes() < before + 16'000'000 + held_back);
  CHECK(eventually([&] { return stage.counters().connections == 0; }));
}

TEST_CASE("robustness 46: clients that reset in the middle of a response leave nothing behind", "[http]") {
  Stage stage;
  stage.run();
  Feed feed(stage, "live/a", 5'000'000);
  feed.segments(1);
  for (int i = 0; i < 300; ++i) {
    RawClient client(stage.port(), 4096);
    client.reset_on_close();
    client.send("GET " + feed.segment_path(10) + " HTTP/1.1\r\n" + host);
  }
  CHECK(eventually(
      [&] { return stage.counters().connections_accepted == 300 && stage.counters().connections == 0; }));
  CHECK(HttpClient(stage.port()).get("/livez").status == 200);
}

TEST_CASE("connections above the cap are closed at once, and the others go on", "[http]") {
  Stage::Setup setup;
  setup.options.max_connections = 3;
  Stage stage(std::move(setup));
  stage.run();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<HttpClient>(stage.port()));
    CHECK(clients.back()->get("/livez").status == 200);
  }
  HttpClient fourth(stage.port());
  CHECK_THROWS_AS(fourth.get("/livez"), std::runtime_error);
  CHECK(stage.counters().connections_refused >= 1);
  CHECK(clients[0]->get("/livez").status == 200);
  clients.pop_back();
  CHECK(eventually([&] { return stage.counters().connections == 2; }));
  HttpClient next(stage.port());
  CHECK(next.get("/livez").status == 200);
}

TEST_CASE("robustness 82: without descriptors new clients wait, the others go on, and it ends by itself",
          "[http]") {
  Stage stage;
  stage.run();
  HttpClient first(stage.port());
  CHECK(first.get("/livez").status == 200);
  std::unique_ptr<RawClient> second;
  {
    const FewDescriptors few(1);
    second = std::make_unique<RawClient>(stage.port());  // takes the last one; the kernel connects it
    CHECK(eventually([&] { return stage.counters().accept_errors >= 2; }));
    CHECK(first.get("/livez").status == 200);
    CHECK(stage.counters().accept_errors < 100);  // pauses, does not spin
  }
  second->send("GET /livez HTTP/1.1\r\nConnection: close\r\nHost: a\r\n\r\n");
  CHECK(second->read_to_end().starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("robustness 49: a thousand waiting clients are cheap and woken with the same bytes",
          "[http][load]") {
  constexpr std::size_t count = 1000;
  Stage::Setup setup;
  setup.threads = 2;
  Stage stage(std::move(setup));
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  REQUIRE(eventually([&] { return HttpClient(stage.port()).get(feed.playlist_path()).status == 200; }));
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (std::size_t i = 0; i < count; ++i) clients.push_back(std::make_unique<HttpClient>(stage.port(), 30s));
  const auto before = resident_bytes();
  for (auto& client : clients) client->send("GET " + feed.part_path(13, 0) + " HTTP/1.1\r\n" + host);
  REQUIRE(stage.waits_for(count));
  CHECK(resident_bytes() < before + count * 32 * 1024 + held_back);

  const auto woken = std::chrono::steady_clock::now();
  feed.parts(1);
  REQUIRE(eventually([&] { return stage.counters().waiting == 0; }));
  CHECK(std::chrono::steady_clock::now() - woken < 2s);
  for (auto& client : clients) {
    const auto response = client->receive();
    REQUIRE(response.status == 200);
    REQUIRE(response.body == feed.bytes(13, 0));
  }
}

TEST_CASE("robustness 49: a client that leaves while it waits frees its waiter", "[http]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  REQUIRE(eventually([&] { return HttpClient(stage.port()).get(feed.playlist_path()).status == 200; }));
  {
    HttpClient reload(stage.port()), hint(stage.port());
    reload.send("GET " + feed.playlist_path("?_HLS_msn=13") + " HTTP/1.1\r\n" + host);
    hint.send("GET " + feed.part_path(13, 0) + " HTTP/1.1\r\n" + host);
    REQUIRE(stage.waits_for(2));
  }
  CHECK(eventually([&] { return stage.counters().waiting == 0; }, 2s));  // sooner than 3 x TARGETDURATION
  CHECK(eventually([&] { return stage.counters().connections == 0; }, 2s));
}

TEST_CASE("a client that pipelines behind a waiting request gets both answers", "[http]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  REQUIRE(eventually([&] { return HttpClient(stage.port()).get(feed.playlist_path()).status == 200; }));
  HttpClient client(stage.port());
  client.send("GET " + feed.part_path(13, 0) + " HTTP/1.1\r\n" + host);
  REQUIRE(stage.waits_for(1));
  client.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET " + feed.part_path(13, 1) + " HTTP/1.1\r\n" + host);
  CHECK_FALSE(client.readable(50ms));
  feed.parts(1);
  CHECK(client.receive().body == feed.bytes(13, 0));
  CHECK(client.receive().body == "ok\n");
  feed.parts(1);
  CHECK(client.receive().body == feed.bytes(13, 1));
}

TEST_CASE("robustness 51: polling names that do not exist leaves no state", "[http]") {
  Stage stage;
  stage.run();
  HttpClient client(stage.port());
  const auto ask = [&](int from, int to) {
    for (int i = from; i < to; ++i)
      CHECK(client.get("/live/missing" + std::to_string(i) + "/index.m3u8").status == 404);
  };
  ask(0, 1000);
  const auto before = resident_bytes();
  ask(1000, 6000);
  CHECK(resident_bytes() < before + 1'000'000 + held_back);
}

TEST_CASE(
    "robustness 87: a drain answers those who wait, closes idle connections and leaves the threads empty",
    "[http][drain]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient idle(stage.port()), waiting(stage.port());
  REQUIRE(eventually([&] { return idle.get(feed.playlist_path()).status == 200; }));
  waiting.send("GET " + feed.playlist_path("?_HLS_msn=13") + " HTTP/1.1\r\n" + host);
  REQUIRE(stage.waits_for(1));
  const auto started = std::chrono::steady_clock::now();
  stage.server->stop();
  const auto response = waiting.receive();
  CHECK(response.status == 503);
  CHECK(response.field("Retry-After") == "1");
  CHECK(response.field("Connection") == "close");
  CHECK(idle.closes_within(3s));
  waiting.close();
  stage.run_dry();
  CHECK(std::chrono::steady_clock::now() - started < 3s);
  HttpClient late(stage.port(), 1s);
  CHECK_THROWS_AS(late.get("/livez"), std::runtime_error);
}

TEST_CASE("robustness 87: a running response is finished within the drain time", "[http][drain]") {
  Stage stage;
  stage.run();
  Feed feed(stage, "live/a", 20'000'000);
  feed.segments(1);
  REQUIRE(eventually([&] { return HttpClient(stage.port()).get(feed.playlist_path()).status == 200; }));
  HttpClient client(stage.port());
  client.send("GET " + feed.segment_path(10) + " HTTP/1.1\r\n" + host);
  REQUIRE(client.readable(5s));
  stage.server->stop();
  CHECK(client.receive().body.size() == 80'000'000);
  client.close();
  stage.run_dry();
}

TEST_CASE("robustness 87: what is not read within the drain time, or at a second stop, is cut",
          "[http][drain]") {
  const bool twice = GENERATE(false, true);
  Stage::Setup setup;
  setup.options.drain_timeout = twice ? 60s : 300ms;
  Stage stage(std::move(setup));
  stage.run();
  Feed feed(stage, "live/a", 20'000'000);
  feed.segments(1);
  REQUIRE(eventually([&] { return HttpClient(stage.port()).get(feed.playlist_path()).status == 200; }));
  RawClient client(stage.port(), 4096);
  client.send("GET " + feed.segment_path(10) + " HTTP/1.1\r\n" + host);
  REQUIRE(eventually([&] { return stage.counters().responses[2] >= 2; }));
  const auto started = std::chrono::steady_clock::now();
  stage.server->stop();
  if (twice) stage.server->stop();
  stage.run_dry();
  CHECK(std::chrono::steady_clock::now() - started < 5s);
}
