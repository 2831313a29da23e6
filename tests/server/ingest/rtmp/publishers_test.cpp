// Real encoders against the listener; the expected packets are those that ffprobe finds.
#include <openssl/evp.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>
#include <vector>

#include "tests/server/ingest/rtmp/stage.hpp"
#include "tests/support/ffprobe.hpp"
#include "tests/support/media.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::support;
using packager::MediaKind;
using packager::SourceSample;

namespace {

std::string md5(ByteSpan bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_md5(), nullptr);
  std::string hex = "MD5:";
  for (unsigned i = 0; i < size; ++i) {
    constexpr char digits[] = "0123456789abcdef";
    hex += {digits[digest[i] >> 4], digits[digest[i] & 15]};
  }
  return hex;
}

std::vector<SourceSample> samples(const std::vector<IngestEvent>& events, MediaKind kind) {
  std::vector<SourceSample> found;
  for (const auto& event : events) {
    const auto* sample = std::get_if<SourceSample>(&event);
    if (sample && sample->kind == kind) found.push_back(*sample);
  }
  return found;
}

std::vector<packager::TrackFormat> formats(const std::vector<IngestEvent>& events) {
  std::vector<packager::TrackFormat> found;
  for (const auto& event : events) {
    if (const auto* change = std::get_if<FormatChange>(&event)) found.push_back(change->format);
  }
  return found;
}

/// Publishes once, as fast as it goes, and gives what arrived.
std::vector<IngestEvent> publish(std::vector<std::string> command, RtmpServer& server) {
  const auto done = run(std::move(command));
  CAPTURE(done.err);
  REQUIRE(done.exit_code == 0);
  const auto recording = server.ingest.recording();
  REQUIRE(recording);
  REQUIRE(recording->wait_closed());
  CHECK(server.wait_connections(0));
  return recording->events();
}

void check_packets(const std::vector<SourceSample>& got, const ProbedStream& want) {
  REQUIRE(got.size() == want.packets.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto& packet = want.packets[i];  // of an FLV file: milliseconds
    CAPTURE(want.kind, i);
    CHECK(got[i].dts_us == packet.dts * 1'000);
    CHECK(got[i].composition_us == (packet.pts - packet.dts) * 1'000);
    CHECK(got[i].sync == packet.key);
    CHECK(got[i].payload.size() == packet.size);
    CHECK(md5(got[i].payload.bytes) == packet.hash);
  }
}

}  // namespace

TEST_CASE("every packet that FFmpeg publishes arrives with its time, its flags and its bytes",
          "[rtmp][ffmpeg]") {
  const auto name = GENERATE(as<std::string>{}, "sintel_360p24_gop2.mp4", "sintel_720p24_gop2.mp4",
                             "sintel_270p24_videoonly.mp4", "sintel_audioonly.m4a",
                             "sintel_360p25_opengop10s.ts", "sintel_360p2997_gop2.mp4");
  CAPTURE(name);
  // The same command into a file: what FFmpeg's own FLV demuxer reads there is what must arrive.
  TempDir folder;
  const auto file = folder.path() / "same.flv";
  const Publish to_file{.clip = clip(name), .url = file.string(), .loop = false, .real_time = false};
  REQUIRE(run(ffmpeg_publisher(to_file)).exit_code == 0);
  const auto want = ffprobe(file);

  RtmpServer server;
  const Publish to_server{
      .clip = clip(name), .url = server.url("live/x?key=k"), .loop = false, .real_time = false};
  const auto events = publish(ffmpeg_publisher(to_server), server);
  CHECK(server.ingest.recording()->request.stream == "live/x");
  CHECK(server.ingest.recording()->request.key == "k");
  CHECK(formats(events).size() == want.size());
  for (const auto& stream : want) {
    check_packets(samples(events, stream.kind == "video" ? MediaKind::video : MediaKind::audio), stream);
  }
}

TEST_CASE("every packet that GStreamer publishes arrives with its time, its flags and its bytes",
          "[rtmp][gstreamer]") {
  const auto source = clip("sintel_360p24_gop2.mp4");
  TempDir folder;
  const auto file = folder.path() / "same.flv";
  auto to_file = gstreamer_publisher(source, file.string());
  std::ranges::replace(to_file, "rtmp2sink", "filesink");
  std::ranges::replace(to_file, "sync=true", "sync=false");  // as fast as it goes
  REQUIRE(run(std::move(to_file)).exit_code == 0);

  RtmpServer server;
  auto to_server = gstreamer_publisher(source, server.url("live/gst"));
  std::ranges::replace(to_server, "sync=true", "sync=false");
  const auto events = publish(std::move(to_server), server);
  CHECK(formats(events).size() == 2);
  for (const auto& stream : ffprobe(file)) {
    if (stream.kind != "video" && stream.kind != "audio") continue;  // its metadata, to FFmpeg a third stream
    check_packets(samples(events, stream.kind == "video" ? MediaKind::video : MediaKind::audio), stream);
  }
}

TEST_CASE("FFmpeg shows its user why it is refused", "[rtmp][ffmpeg]") {
  RtmpServer server;
  server.ingest.refuse_with(Errc::wrong_key);
  const Publish attempt{.clip = clip("sintel_360p24_gop2.mp4"), .url = server.url("live/x"), .loop = false};
  const auto done = run(ffmpeg_publisher(attempt));
  CHECK(done.exit_code != 0);
  CHECK(done.err.find("set the stream key to NAME?key=SECRET") != std::string::npos);
}

TEST_CASE("FFmpeg shows its user that a codec is not packaged", "[rtmp][ffmpeg]") {
  RtmpServer server;
  const Publish attempt{
      .clip = clip("sintel_360p24_gop2.mp4"), .url = server.url("live/x"), .output = {"-c:v", "flv1", "-an"}};
  const auto done = run(ffmpeg_publisher(attempt));
  CHECK(done.err.find("Sorenson H.263 is not supported: send one video track in H.264, HEVC") !=
        std::string::npos);
  CHECK(server.ingest.recording()->wait_closed());
}

TEST_CASE("a player, which checks the digests of our handshake, learns where the stream plays",
          "[rtmp][ffmpeg]") {
  // As an input, FFmpeg verifies S1 and S2 and complains "Server response validating failed".
  RtmpServer server;
  const auto done = run({"ffprobe", "-v", "verbose", server.url("live/x")});
  CAPTURE(done.err);
  CHECK(done.exit_code != 0);
  CHECK(done.err.find("validating failed") == std::string::npos);
  CHECK(done.err.find("This server plays by HLS at /live/x/index.m3u8") != std::string::npos);
  CHECK(server.wait_connections(0));
}

TEST_CASE("a publisher that is killed in mid-frame ends its publication", "[rtmp][ffmpeg]") {
  RtmpServer server;
  Publisher publisher({.clip = clip("sintel_720p24_gop2.mp4"), .url = server.url("live/x")});
  const auto recording = server.ingest.recording();
  REQUIRE(recording);
  REQUIRE(recording->wait([](std::size_t events, int) { return events > 20; }));
  publisher.kill();
  CHECK(recording->wait_closed());
  CHECK(server.wait_connections(0));
}
