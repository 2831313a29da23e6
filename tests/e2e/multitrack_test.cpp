// Several pictures and sounds by one connection of Enhanced RTMP.
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <set>

#include "tests/support/ffprobe.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/ladder.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/process.hpp"
#include "tests/support/rendition_checks.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

TEST_CASE("two pictures and two languages of one RTMP connection are one multivariant playlist", "[joins]") {
  const TempDir folder;
  const auto ladder = folder.path() / "ladder.ts", film = folder.path() / "film.mp4";
  make_ladder(ladder);
  const auto made = run({"ffmpeg", "-v", "error", "-nostdin", "-i", ladder.string(), "-map", "0:v:0", "-map",
                         "0:v:1", "-map", "0:a:0", "-map", "0:a:1", "-c", "copy", film.string()});
  REQUIRE(made.exit_code == 0);
  Server server;
  Process publisher({.arguments = {(build_folder() / "lookback_publish").string(), "--loop", "--all-tracks",
                                   film.string(), server.rtmp_url("live/a")}});
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_until_followed(4, 40s));
  witness.stop();
  CAPTURE(witness.master().text(), publisher.err());
  const auto& list = witness.multivariant();  // of the very first answer
  CHECK(list.errors.empty());
  REQUIRE(list.variants.size() == 2);
  std::multiset<std::string> sizes;
  for (const auto& variant : list.variants) sizes.insert(variant.attributes.text("RESOLUTION"));
  CHECK(sizes == std::multiset<std::string>{"480x270", "640x360"});
  REQUIRE(list.media.size() == 2);
  CHECK(list.media[0].text("LANGUAGE") == "en");
  CHECK(list.media[1].text("LANGUAGE") == "de");
  REQUIRE(witness.renditions().size() == 4);
  check_rules(witness);
  for (const auto& rendition : witness.renditions()) {
    // Composition times are whole milliseconds, and one of the pictures has B-frames.
    const double most = rendition.track[0] == 'v' ? 0.001 : 1024.0 / 48'000 / 2 + 1e-9;
    CHECK(check_starts(rendition, *witness.rendition("v0"), most) >= 4);
    CHECK(decode_complaints(concatenation(rendition)) == "");
  }
}
