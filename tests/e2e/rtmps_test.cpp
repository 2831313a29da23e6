// A real encoder over TLS, and a certificate that is renewed under it.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/support/api_client.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/hls_rules.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

std::string rtmps(const Certificate& certificate) {
  return "[rtmps]\nlisten = \"127.0.0.1:0\"\ncertificate = \"" + certificate.file.string() + "\"\nkey = \"" +
         certificate.key.string() + "\"\n";
}

/// "127.0.0.1:40123", out of the ready line.
std::string address_of(Server& server) {
  const auto line = server.process().wait_for_line("rtmps=", 5s).value_or("");
  const auto from = line.find("rtmps=") + 6;
  return line.substr(from, line.find(' ', from) - from);
}

/// What a connection is shown, as SHA-256.
std::string fingerprint(const std::string& address) {
  return run({"sh", "-c",
              "openssl s_client -connect " + address +
                  " </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"})
      .out;
}

}  // namespace

TEST_CASE("FFmpeg publishes by RTMPS, and goes on while the certificate is renewed", "[rtmps]") {
  const TempDir folder;
  const Certificate first(folder.path(), "rtmps");
  Server server({.more = rtmps(first)});
  const auto address = address_of(server);
  REQUIRE(address.starts_with("127.0.0.1:"));
  Publisher publisher({.clip = clip("sintel_360p24_gop2.mp4"), .url = "rtmps://" + address + "/live/a"});
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_for_segments(2, 30s));
  const auto answer = ApiClient(server.http_port()).get("/streams/live/a");
  CHECK(answer["publisher"].at("protocol").as_string() == "rtmps");

  const auto before = fingerprint(address);
  REQUIRE(before.find("Fingerprint=") != std::string::npos);
  const Certificate renewed(folder.path(), "rtmps");
  server.process().signal(SIGHUP);
  REQUIRE(eventually([&] { return fingerprint(address) != before; }));
  CHECK(fingerprint(address).find("Fingerprint=") != std::string::npos);

  std::filesystem::remove(first.file);
  server.process().signal(SIGHUP);
  CHECK(server.process().wait_for_line("No such file", 10s).has_value());
  CHECK(fingerprint(address).find("Fingerprint=") != std::string::npos);

  REQUIRE(witness.wait_for_segments(2, 30s));
  CHECK(publisher.running());
  witness.stop();
  REQUIRE(witness.renditions().size() == 2);
  for (const auto& rendition : witness.renditions()) {
    auto violations = check_all(rendition);
    INFO(describe(violations));
    CHECK(violations.empty());
    CHECK(rendition.failures.empty());
  }
}

TEST_CASE("a server whose RTMPS certificate cannot be used does not start, and says which file", "[rtmps]") {
  const TempDir folder;
  const Certificate good(folder.path(), "good"), other(folder.path(), "other");
  const auto store = (folder.path() / "data").string();
  const auto started_with = [&](const std::string& certificate, const std::string& key) {
    return run(
        {Server::binary().string(), "run", "--set", "store.path=" + store, "--set", "http.listen=127.0.0.1:0",
         "--set", "rtmp.listen=127.0.0.1:0", "--set", "srt.listen=", "--set", "rtmps.listen=127.0.0.1:0",
         "--set", "rtmps.certificate=" + certificate, "--set", "rtmps.key=" + key},
        20s);
  };
  const auto missing = started_with("/nonexistent/cert.pem", good.key.string());
  CHECK(missing.exit_code == 1);
  CHECK(missing.err.find("certificate /nonexistent/cert.pem: No such file") != std::string::npos);
  const auto strange = started_with(good.file.string(), other.key.string());
  CHECK(strange.exit_code == 1);
  CHECK(strange.err.find("does not belong to the certificate") != std::string::npos);
}
