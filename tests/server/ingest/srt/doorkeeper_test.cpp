#include "server/ingest/srt/doorkeeper.hpp"

#include <srt/access_control.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/server/ingest/recording_ingest.hpp"

using namespace lookback;
using namespace lookback::server;

namespace {

/// Lets everybody in; "live/aes" wants a passphrase.
class Open : public PublishGuard {
 public:
  Result<PublishTerms> check(const PublishRequest& request) const override {
    return PublishTerms{request.stream == "live/aes" ? "correct-horse" : ""};
  }
};

struct Door {
  support::RecordingIngest ingest;
  Open guard;
  srt::Doorkeeper keeper{std::make_shared<srt::Common>(srt::Options(), ingest, guard)};

  int code(srt::Doorkeeper::Id id, const char* stream_id) {
    const boost::asio::ip::udp::endpoint peer(boost::asio::ip::address_v4::loopback(), 5'000);
    return keeper.decide(id, peer, stream_id, "").reject_code;
  }
};

}  // namespace

TEST_CASE("of two callers that race for a stream, the second gets the code of a stream that is taken",
          "[srt][doorkeeper]") {
  Door door;
  CHECK(door.code(1, "live/a") == 0);
  CHECK(door.code(2, "publish:live/a") == SRT_REJX_CONFLICT);
  CHECK(door.code(3, "live/a?backup=1") == 0);
  CHECK(door.code(4, "#!::r=live/a,backup=1") == SRT_REJX_CONFLICT);
  CHECK(door.code(5, "live/b") == 0);
  CHECK(door.code(1, "live/a") == 0);  // libsrt asks again for the same handshake
  {
    const auto accepted = door.keeper.take(1);
    REQUIRE(accepted.has_value());
    CHECK(door.code(6, "live/a") == SRT_REJX_CONFLICT);  // the stream has not decided yet
  }
  CHECK(door.code(7, "live/a") == 0);
}

TEST_CASE("who has to show a passphrase keeps nobody out before that", "[srt][doorkeeper]") {
  Door door;
  CHECK(door.code(1, "live/aes") == 0);
  CHECK(door.code(2, "live/aes") == 0);
}
