#include "server/api/access.hpp"

#include <sys/stat.h>
#include <catch2/catch_test_macros.hpp>

#include <fstream>
#include <sstream>

#include "tests/support/temp_dir.hpp"

using namespace lookback::server;
using namespace lookback::server::api;

namespace {

const std::string generated = "generated-token-of-the-first-start";

Access without_tokens() { return Access({}, SecretHash::of_secret(generated)); }

unsigned status_of(const Access& access, const Caller& caller) {
  const auto granted = access.judge(caller);
  return granted ? 200 : granted.error().status;
}

Caller local() {
  return {.authorization = {}, .host = "127.0.0.1:8080", .origin = {}, .loopback = true, .forwarded = false};
}

}  // namespace

TEST_CASE("without a token in the configuration only this machine is admin", "[api][access]") {
  const auto access = without_tokens();
  auto caller = local();
  REQUIRE(access.judge(caller).has_value());
  CHECK(access.judge(caller)->role == Role::admin);
  CHECK_FALSE(access.judge(caller)->by_token);
  caller.loopback = false;
  CHECK(status_of(access, caller) == 401);
}

TEST_CASE("a proxy on this machine does not make its clients admin", "[api][access]") {
  auto caller = local();
  caller.forwarded = true;
  CHECK(status_of(without_tokens(), caller) == 401);
}

TEST_CASE("a page of another origin cannot use this machine's rights", "[api][access]") {
  const auto access = without_tokens();
  auto caller = local();
  for (const auto* origin : {"http://evil.example", "https://127.0.0.1:8080", "http://127.0.0.1:8081", "null",
                             "http://127.0.0.1:8080.evil.example"}) {
    CAPTURE(origin);
    caller.origin = origin;
    CHECK(status_of(access, caller) == 403);
  }
  caller.origin = "http://127.0.0.1:8080";
  CHECK(status_of(access, caller) == 200);
}

TEST_CASE("a name that somebody else's DNS lets point here does not do", "[api][access]") {
  const auto access = without_tokens();
  auto caller = local();
  for (const auto* host : {"evil.example", "evil.example:8080", "127.0.0.1.evil.example",
                           "localhost.evil.example:80", "", "[::2]:80", "192.0.2.1:8080"}) {
    CAPTURE(host);
    caller.host = host;
    CHECK(status_of(access, caller) == 403);
  }
  for (const auto* host : {"localhost", "localhost:8080", "127.0.0.1", "[::1]", "[::1]:8080"}) {
    CAPTURE(host);
    caller.host = host;
    CHECK(status_of(access, caller) == 200);
  }
}

TEST_CASE("the generated token opens everything from everywhere, until one is configured", "[api][access]") {
  Caller caller{.authorization = {},
                .host = "tv.example",
                .origin = "https://console.example",
                .loopback = false,
                .forwarded = true};
  const auto bearer = "Bearer " + generated;
  caller.authorization = bearer;
  const auto granted = without_tokens().judge(caller);
  REQUIRE(granted.has_value());
  CHECK(granted->role == Role::admin);
  CHECK(granted->by_token);
  const Access configured({.admin = "another-token-of-the-file", .operate = {}, .read = {}},
                          SecretHash::of_secret(generated));
  CHECK(status_of(configured, caller) == 401);
}

TEST_CASE("tokens of the configuration have roles, and then everybody needs one", "[api][access]") {
  const Access access(
      {.admin = "admin-token-0123", .operate = "operate-token-01", .read = "read-token-01234"},
      SecretHash::of_secret(generated));
  CHECK(status_of(access, local()) == 401);
  auto caller = local();
  const std::pair<const char*, Role> tokens[] = {{"Bearer admin-token-0123", Role::admin},
                                                 {"bearer operate-token-01", Role::operate},
                                                 {"BEARER   read-token-01234", Role::read}};
  for (const auto& [authorization, role] : tokens) {
    CAPTURE(authorization);
    caller.authorization = authorization;
    const auto granted = access.judge(caller);
    REQUIRE(granted.has_value());
    CHECK(granted->role == role);
  }
}

TEST_CASE("robustness 73: what is no token of ours is 401, also from this machine", "[api][access]") {
  auto caller = local();
  for (const auto* authorization :
       {"Bearer", "Bearer ", "Bearer x", "Basic YWRtaW46YWRtaW4=", "Bearer generated-token-of-the-first-star",
        "Bearer generated-token-of-the-first-start2", "generated-token-of-the-first-start",
        "Bearer generated-token-of-the-first-start, Bearer x"}) {
    CAPTURE(authorization);
    caller.authorization = authorization;
    CHECK(status_of(without_tokens(), caller) == 401);
  }
}

TEST_CASE("a secret is shown once and kept as a hash that only the owner reads", "[api][access]") {
  const lookback::support::TempDir folder;
  const auto file = folder.path() / "admin.token";
  const auto first = SecretHash::open(file);
  REQUIRE(first.has_value());
  REQUIRE(first->fresh_secret.has_value());
  CHECK(first->fresh_secret->size() == 32);  // 128 bits
  CHECK(first->hash.matches(*first->fresh_secret));
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  CHECK(text.str().find(*first->fresh_secret) == std::string::npos);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const auto again = SecretHash::open(file);
  REQUIRE(again.has_value());
  CHECK_FALSE(again->fresh_secret.has_value());
  CHECK(again->hash.matches(*first->fresh_secret));
  CHECK_FALSE(again->hash.matches(*first->fresh_secret + "0"));
}
