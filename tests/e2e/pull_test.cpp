// Streams that the server pulls from remote SRT listeners: FFmpeg and srt-live-transmit play the remote side.
#include <signal.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <memory>

#include "tests/support/api_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/rendition_checks.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

const std::string passphrase = "correct-horse-battery";

/// A port that is free now.
std::uint16_t free_port() {
  boost::asio::io_context context;
  const boost::asio::ip::udp::socket socket(context, {boost::asio::ip::address_v4::loopback(), 0});
  return socket.local_endpoint().port();
}

std::string address(std::uint16_t port) { return "srt://127.0.0.1:" + std::to_string(port); }

/// FFmpeg that waits for a caller, and sends it the clip for ever.
std::unique_ptr<Publisher> remote(std::uint16_t port, const std::string& more = {}) {
  const auto url = address(port) + "?mode=listener" + more;
  return std::make_unique<Publisher>(Publish{.clip = clip("sintel_360p24_gop2.mp4"), .url = url});
}

std::string pulled(const std::string& stream, const std::string& url) {
  return "[streams.\"" + stream + "\"]\npull = \"" + url + "\"\n";
}

/// Waits until the API says so of the stream's `pull`.
bool shows(Server& server, const std::string& stream, const std::string& state,
           const std::string& reason = {}) {
  const auto as_wanted = [&](const ApiAnswer& answer) {
    if (answer.status != 200 || !answer["pull"].is_object()) return false;
    const auto& pull = answer["pull"].as_object();
    if (pull.at("state").as_string() != state) return false;
    if (reason.empty()) return true;
    return pull.at("reason").is_string() &&
           std::string(pull.at("reason").as_string()).find(reason) != std::string::npos;
  };
  return as_wanted(ApiClient(server.http_port()).until("/streams/" + stream, as_wanted));
}

void change_config(Server& server, const std::string& from, const std::string& to) {
  std::ifstream in(server.config());
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  std::ofstream(server.config()) << text;
  server.process().signal(SIGHUP);
}

}  // namespace

TEST_CASE("a pulled stream goes on when its remote listener was killed and is there again", "[pull]") {
  const auto port = free_port();
  Server server({.more = "[streams.\"live/a\"]\npull = \"" + address(port) + "\"\n"});
  REQUIRE(shows(server, "live/a", "waiting", "nobody answers"));  // the stream is listed before it exists
  auto far = remote(port);
  REQUIRE(shows(server, "live/a", "connected"));
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_for_segments(2, 30s));
  far->kill();  // its socket goes without a word: srt.peer_timeout finds out
  REQUIRE(shows(server, "live/a", "waiting"));
  far = remote(port);
  REQUIRE(shows(server, "live/a", "connected"));
  REQUIRE(witness.wait_for_segments(2, 40s));
  witness.stop();
  CAPTURE(far->err());
  check_rules(witness);
  for (const auto& rendition : witness.renditions()) {
    const auto segments = rendition.segments();
    CHECK(std::ranges::count_if(segments, [](const auto& each) { return each.second.discontinuity; }) == 1);
  }
}

TEST_CASE("a wrong passphrase is told in words, and the right one connects after a reload", "[pull]") {
  const auto port = free_port();
  auto far = remote(port, "&passphrase=" + passphrase);
  Server server({.more = pulled("live/a", address(port) + "?passphrase=not-the-passphrase")});
  REQUIRE(shows(server, "live/a", "waiting", "the passphrase is wrong"));
  change_config(server, "not-the-passphrase", passphrase);
  REQUIRE(shows(server, "live/a", "connected"));
  Witness witness(server.http_port(), "live/a");
  CHECK(witness.wait_for_segments(1, 30s));
  witness.stop();
  server.stop();
  CHECK(server.process().wait_for_end_of_output(5s));
  CHECK((server.process().out() + server.process().err()).find(passphrase) == std::string::npos);
  CHECK((server.process().out() + server.process().err()).find("not-the-passphrase") == std::string::npos);
}

TEST_CASE("a reload adds and removes pulled streams, and leaves the others alone", "[pull]") {
  const auto one = free_port(), two = free_port();
  const auto far_one = remote(one), far_two = remote(two);
  const auto first = pulled("live/one", address(one));
  const auto second = pulled("live/two", "srt://localhost:" + std::to_string(two));  // a name, resolved
  Server server({.more = first});
  REQUIRE(shows(server, "live/one", "connected"));
  Witness witness(server.http_port(), "live/one");
  change_config(server, first, first + second);
  REQUIRE(shows(server, "live/two", "connected"));
  ApiClient api(server.http_port());
  change_config(server, second, "");
  const auto is_gone = [](const ApiAnswer& answer) {
    return answer.status == 200 && answer["pull"].is_null() && answer.text("state") == "waiting";
  };
  CHECK(is_gone(api.until("/streams/live/two", is_gone)));
  REQUIRE(witness.wait_for_segments(2, 30s));
  witness.stop();
  CHECK(shows(server, "live/one", "connected"));
  for (const auto& rendition : witness.renditions()) {
    const auto segments = rendition.segments();
    CHECK(std::ranges::none_of(segments, [](const auto& each) { return each.second.discontinuity; }));
  }
}

TEST_CASE("while another publishes the stream nobody is called, and a wrong name is told", "[pull]") {
  const auto port = free_port();
  const auto far = remote(port);
  Server server({.more = pulled("live/b", "srt://no-such-host.invalid:9000")});
  CHECK(shows(server, "live/b", "waiting", "cannot be resolved"));
  Publisher publisher({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  const auto is_live = [](const ApiAnswer& answer) {
    return answer.status == 200 && answer.text("state") == "live";
  };
  REQUIRE(is_live(ApiClient(server.http_port()).until("/streams/live/a", is_live)));
  change_config(server, pulled("live/b", "srt://no-such-host.invalid:9000"), pulled("live/a", address(port)));
  CHECK(shows(server, "live/a", "waiting", "the stream has a publisher"));
  publisher.kill();
  CHECK(shows(server, "live/a", "connected"));
}
