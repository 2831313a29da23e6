// Transport streams that FFmpeg makes of the Sintel clips, one for each codec; what must come out is what
// libavformat reads in the same file, packet by packet.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/server/ingest/ts/demuxed.hpp"
#include "tests/server/ingest/ts/encoded.hpp"
#include "tests/server/ingest/ts/ts_writer.hpp"

using namespace lookback;
using namespace lookback::support;
using packager::Codec;

namespace {

struct Wanted {
  std::int64_t pts = 0, dts = 0;
  AVRational base{1, 90'000};
  bool key = false;
  std::string bytes;

  std::int64_t dts_us() const { return av_rescale_q(dts, base, AV_TIME_BASE_Q); }
  std::int64_t pts_us() const { return av_rescale_q(pts, base, AV_TIME_BASE_Q); }
};

std::vector<Wanted> packets_of(const std::filesystem::path& file) {
  const auto input = test::open(file);
  REQUIRE(avformat_find_stream_info(input.get(), nullptr) >= 0);
  std::vector<Wanted> out;
  const test::Packet packet(av_packet_alloc());
  for (; av_read_frame(input.get(), packet.get()) == 0; av_packet_unref(packet.get())) {
    const auto size = static_cast<std::size_t>(packet->size);
    out.push_back({packet->pts, packet->dts, input->streams[packet->stream_index]->time_base,
                   (packet->flags & AV_PKT_FLAG_KEY) != 0,
                   std::string(reinterpret_cast<const char*>(packet->data), size)});
  }
  REQUIRE(out.size() > 100);
  return out;
}

struct SoundCase {
  std::string name;
  Arguments encoder;
  std::string codecs;  ///< RFC 6381, as rfc8216bis and the registrations have them
  unsigned rate, channels, type;
};

const std::vector<SoundCase> sound_cases{
    {"ac3", {"-c:a", "ac3", "-b:a", "192k"}, "ac-3", 48'000, 2, 0x81},
    {"ac3_441", {"-c:a", "ac3", "-ar", "44100", "-ac", "6"}, "ac-3", 44'100, 6, 0x81},
    {"eac3", {"-c:a", "eac3", "-ac", "6", "-b:a", "256k"}, "ec-3", 48'000, 6, 0x87},
    {"mp3", {"-c:a", "libmp3lame", "-b:a", "128k"}, "mp4a.6B", 48'000, 2, 0x03},
    {"mp3_24", {"-c:a", "libmp3lame", "-ar", "24000", "-ac", "1"}, "mp4a.69", 24'000, 1, 0x03},
};

}  // namespace

TEST_CASE("HEVC comes out of a transport stream as libavformat reads it", "[ts][hevc]") {
  const bool open_gop = GENERATE(false, true);
  const TempDir dir;
  const auto gop = std::string("log-level=error:keyint=48:open-gop=") + (open_gop ? "1" : "0");
  const auto file = encoded(dir, "hevc.ts",
                            {"-an", "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt",
                             open_gop ? "yuv420p10le" : "yuv420p", "-bf", "3", "-x265-params", gop});
  const auto wanted = packets_of(file);
  const auto got = demux(read_file(file));
  REQUIRE(got.formats.size() == 1);
  const auto& format = got.formats[0];
  CHECK(format.codec == Codec::hevc);
  CHECK(format.coded_width == 640);
  CHECK(format.coded_height == 360);

  // The record that FFmpeg makes of the same parameter sets, up to what it and we leave unsaid.
  const auto mp4 = dir.path() / "hevc.mp4";
  test::output_of(
      {"ffmpeg", "-v", "error", "-y", "-i", file.string(), "-c", "copy", "-tag:v", "hvc1", mp4.string()});
  const auto opened = test::open(mp4);
  const auto& par = *opened->streams[0]->codecpar;
  REQUIRE(par.extradata_size > 22);
  const std::string theirs(reinterpret_cast<const char*>(par.extradata), 22);
  const std::string ours(as_text(ByteSpan(format.config).first(22)));
  CHECK(ours.substr(0, 13) == theirs.substr(0, 13));  // profile, tier, level
  CHECK(ours.substr(16, 3) == theirs.substr(16, 3));  // chroma format and bit depths
  CHECK((ours[21] & 0x3f) == (theirs[21] & 0x3f));    // temporal layers, length size

  REQUIRE(got.video.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    const auto& sample = got.video[i];
    REQUIRE(sample.sync == wanted[i].key);
    REQUIRE(std::abs(sample.dts_us - wanted[i].dts_us()) <= 1);
    REQUIRE(std::abs(sample.dts_us + sample.composition_us - wanted[i].pts_us()) <= 1);
    // Every NAL unit stands in the packet, but for the length in front of it.
    auto rest = sample.payload.text();
    while (!rest.empty()) {
      REQUIRE(rest.size() > 6);
      std::size_t size = 0;
      for (std::size_t b = 0; b < 4; ++b) size = size << 8 | static_cast<unsigned char>(rest[b]);
      REQUIRE(size <= rest.size() - 4);
      const auto unit = rest.substr(4, size);
      const auto type = static_cast<unsigned char>(unit[0]) >> 1;
      REQUIRE((type < 32 || type > 38));  // parameter sets, delimiters and filler stay outside
      REQUIRE(wanted[i].bytes.find(bytes_of({0, 0, 1}) + std::string(unit)) != std::string::npos);
      rest.remove_prefix(4 + size);
    }
  }
  CHECK(got.counts.damaged_units == 0);
}

TEST_CASE("sound of each codec comes out of a transport stream as libavformat reads it", "[ts][sound]") {
  for (const auto& sound : sound_cases) {
    CAPTURE(sound.name);
    const TempDir dir;
    auto encoder = sound.encoder;
    encoder.insert(encoder.begin(), "-vn");
    const auto file = encoded(dir, sound.name + ".ts", encoder);
    const auto wanted = packets_of(file);
    const auto got = demux(read_file(file));
    REQUIRE(got.formats.size() == 1);
    CHECK(got.formats[0].codecs == sound.codecs);
    CHECK(got.formats[0].sample_rate == sound.rate);
    CHECK(got.formats[0].channels == sound.channels);
    CHECK(got.counts.damaged_units == 0);
    CHECK(got.notes.empty());
    REQUIRE(got.audio.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      CAPTURE(i);
      REQUIRE(text_of(got.audio[i]) == wanted[i].bytes);
      REQUIRE(std::abs(got.audio[i].dts_us - wanted[i].dts_us()) <= 12);  // a tick of 90 kHz
    }
  }
}

TEST_CASE("frames of sound may be cut anywhere by the ends of PES packets", "[ts][sound]") {
  for (const auto& sound : sound_cases) {
    CAPTURE(sound.name);
    const TempDir dir;
    auto encoder = sound.encoder;
    const auto format = sound.name.substr(0, sound.name.find('_'));
    encoder.insert(encoder.end(), {"-vn", "-write_xing", "0", "-id3v2_version", "0", "-f", format});
    const auto file = encoded(dir, sound.name + "." + format, encoder);
    const auto wanted = packets_of(file);
    TsWriter ts;
    ts.pat();
    ts.pmt({{sound.type, audio_pid}});
    std::string_view rest;
    const auto bytes = read_file(file);
    rest = bytes;
    for (std::size_t i = 0; !rest.empty(); ++i) {
      const auto piece = rest.substr(0, 700 + i * 37 % 1'000);
      ts.pes(audio_pid, piece, i == 0 ? std::optional<std::uint64_t>(90'000) : std::nullopt, {}, true, 0xc0);
      rest.remove_prefix(piece.size());
    }
    const auto got = demux(ts.bytes);
    CHECK(got.counts.damaged_units == 0);
    REQUIRE(got.audio.size() == wanted.size());
    const auto samples = got.formats.at(0).samples_per_frame;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      CAPTURE(i);
      REQUIRE(text_of(got.audio[i]) == wanted[i].bytes);
      const auto at = 1'000'000 + static_cast<std::int64_t>(i * samples * 1'000'000 / sound.rate);
      REQUIRE(std::abs(got.audio[i].dts_us - at) <= 12);
    }
  }
}

TEST_CASE("a lost packet costs the frames of sound that it was in, and no other", "[ts][sound]") {
  const TempDir dir;
  const auto file = encoded(dir, "loss.ts", {"-vn", "-c:a", "ac3", "-b:a", "192k"});
  const auto clean = read_file(file);
  const auto whole = demux(clean);
  auto broken = clean;
  broken.erase(188 * 400, 188);
  const auto got = demux(broken);
  CHECK(got.counts.lost_packets == 1);
  CHECK(got.audio.size() < whole.audio.size());
  CHECK(got.audio.size() + 6 >= whole.audio.size());  // a PES packet of 2,930 bytes has five frames of 576
  for (const auto& sample : got.audio) {
    const auto same = [&](const packager::SourceSample& other) {
      return std::abs(other.dts_us - sample.dts_us) <= 12 && text_of(other) == text_of(sample);
    };
    REQUIRE(std::ranges::any_of(whole.audio, same));
  }
}

TEST_CASE("AAC in LATM comes out as the frames that went in", "[ts][latm]") {
  const TempDir dir;
  const auto plain = encoded(dir, "plain.mp4", {"-vn", "-c:a", "copy"});
  const auto file = dir.path() / "latm.ts";
  test::output_of({"ffmpeg", "-v", "error", "-y", "-i", plain.string(), "-c", "copy", "-mpegts_flags", "latm",
                   file.string()});
  const auto wanted = packets_of(plain);
  const auto got = demux(read_file(file));
  REQUIRE(got.formats.size() == 1);
  CHECK(got.formats[0].codecs == "mp4a.40.2");
  CHECK(got.formats[0].sample_rate == 48'000);
  CHECK(got.formats[0].channels == 2);
  CHECK(got.counts.damaged_units == 0);
  REQUIRE(got.audio.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    REQUIRE(text_of(got.audio[i]) == wanted[i].bytes);
    const auto since = wanted[i].dts_us() - wanted[0].dts_us();
    REQUIRE(std::abs(got.audio[i].dts_us - got.audio[0].dts_us - since) <= 12);
  }
}

TEST_CASE("Opus comes out without its control headers", "[ts][opus]") {
  const auto channels = GENERATE(1u, 2u, 6u);
  const TempDir dir;
  const auto file = encoded(dir, "opus.ts",
                            {"-vn", "-c:a", "libopus", "-ac", std::to_string(channels), "-mapping_family",
                             channels > 2 ? "1" : "0"});
  const auto wanted = packets_of(file);
  const auto got = demux(read_file(file));
  REQUIRE(got.formats.size() == 1);
  CHECK(got.formats[0].codecs == "Opus");
  CHECK(got.formats[0].channels == channels);
  CHECK(got.counts.damaged_units == 0);
  REQUIRE(got.audio.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    REQUIRE(text_of(got.audio[i]) == wanted[i].bytes);
    REQUIRE(std::abs(got.audio[i].dts_us - wanted[i].dts_us()) <= 12);
    REQUIRE(got.audio[i].ticks == 960);  // 20 ms, libopus's default
  }
}

TEST_CASE("MPEG audio of layer II is refused by name, and the next track of sound taken", "[ts][sound]") {
  const TempDir dir;
  const auto file =
      encoded(dir, "mp2.ts", {"-vn", "-map", "0:a", "-map", "0:a", "-c:a:0", "mp2", "-c:a:1", "copy"});
  const auto got = demux(read_file(file));
  REQUIRE(got.formats.size() == 1);
  CHECK(got.formats[0].codec == Codec::aac);
  REQUIRE(!got.notes.empty());
  CHECK(got.notes.back() ==
        "PID 256 (MPEG audio) is not carried: it is MPEG audio of layer I or II: layer III alone can be "
        "carried");
  CHECK(got.audio.size() > 200);  // of 281 in six seconds; those before the refusal are gone
}
