// RTMPS: the listener over TLS, with OpenSSL's own client.
#include <catch2/catch_test_macros.hpp>

#include "tests/server/ingest/rtmp/stage.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback;
using namespace lookback::support;

namespace {

std::shared_ptr<server::TlsIdentity> identity_in(const TempDir& folder) {
  const Certificate made(folder.path(), "rtmps");
  auto identity = std::make_shared<server::TlsIdentity>(made.file, made.key);
  REQUIRE(identity->load().has_value());
  return identity;
}

/// What `openssl s_client` says to a connection that it closes at once.
std::string s_client(std::uint16_t port, const std::string& version) {
  const auto done = run(
      {"sh", "-c",
       "openssl s_client -connect 127.0.0.1:" + std::to_string(port) + " " + version + " </dev/null 2>&1"});
  return done.out;
}

}  // namespace

TEST_CASE("RTMPS takes TLS 1.2 and 1.3 and nothing older", "[rtmp][tls]") {
  const TempDir folder;
  RtmpServer server({}, identity_in(folder));
  CHECK(s_client(server.port(), "-tls1_3").find("New, TLSv1.3") != std::string::npos);
  CHECK(s_client(server.port(), "-tls1_2").find("New, TLSv1.2") != std::string::npos);
  const auto old = s_client(server.port(), "-tls1_1 -cipher DEFAULT@SECLEVEL=0");
  CHECK(old.find("alert protocol version") != std::string::npos);
  CHECK(server.wait_connections(0));
}

TEST_CASE("who does not speak TLS, or says nothing, is cut, and takes no other down", "[rtmp][tls]") {
  const TempDir folder;
  server::rtmp::Options options;
  options.handshake_timeout = 300ms;
  RtmpServer server(options, identity_in(folder));
  RawClient silent(server.port()), plain(server.port()), noise(server.port());
  CHECK(plain.say(std::string(1'537, '\x03')));  // C0 and C1 of RTMP
  CHECK(noise.say("GET / HTTP/1.1\r\n\r\n"));
  CHECK(plain.sees_close());
  CHECK(noise.sees_close());
  CHECK(silent.sees_close());
  CHECK(server.wait_connections(0));
  CHECK(server.ingest.recordings().empty());
}

TEST_CASE("an encoder publishes by RTMPS until it leaves, and the server can stop before that",
          "[rtmp][tls]") {
  const TempDir folder;
  RtmpServer server({}, identity_in(folder));
  const auto line = [&](const std::string& seconds) {
    return std::vector<std::string>{
        "ffmpeg",   "-v",      "warning",
        "-nostdin", "-re",     "-f",
        "lavfi",    "-i",      "testsrc=size=320x180:rate=25",
        "-t",       seconds,   "-c:v",
        "libx264",  "-preset", "ultrafast",
        "-f",       "flv",     "rtmps://127.0.0.1:" + std::to_string(server.port()) + "/live/x"};
  };
  Process leaves({.arguments = line("2")});
  const auto first = server.ingest.recording(0);
  REQUIRE(first != nullptr);
  CHECK(first->request.protocol == "rtmps");
  CHECK(first->request.stream == "live/x");
  REQUIRE(first->wait_closed());
  CHECK(first->events().size() >= 51);  // 2 s at 25 fps, and the configuration
  CHECK(leaves.wait(20s) == 0);

  Process stays({.arguments = line("60")});
  const auto second = server.ingest.recording(1);
  REQUIRE(second != nullptr);
  REQUIRE(second->wait([](std::size_t events, int) { return events > 10; }));
  server.stop();
  CHECK(second->closed().find("stopping") != std::string::npos);
}
