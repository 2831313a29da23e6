// Real transport streams; what must come out is what libavformat reads in the same file.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>

#include "server/ingest/ts/annexb.hpp"
#include "tests/packager/media/clip.hpp"
#include "tests/server/ingest/ts/demuxed.hpp"

using namespace lookback;
using namespace lookback::support;

namespace {

constexpr std::size_t adts_header_bytes = 7;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Wanted {
  std::int64_t pts = 0, dts = 0;  ///< 90 kHz
  bool key = false;
  std::vector<std::string> units;  ///< video: NAL units but for parameter sets, delimiters and filler
  std::string frame;               ///< audio: of AAC without its ADTS header
};

bool stays(std::string_view unit, AVCodecID codec) {
  const unsigned header = static_cast<unsigned char>(unit.front());
  if (codec == AV_CODEC_ID_HEVC) return header >> 1 < 32 || header >> 1 > 38;
  return (header & 0x1f) < 7 || (header & 0x1f) > 12;
}

std::vector<std::string> units_of(ByteSpan stream, AVCodecID codec) {
  std::vector<std::string> out;
  while (const auto unit = server::ts::take_nal_unit(stream)) {
    if (!unit->empty() && stays(as_text(*unit), codec)) out.emplace_back(as_text(*unit));
  }
  return out;
}

std::vector<std::string> prefixed_units_of(const packager::SourceSample& sample) {
  std::vector<std::string> out;
  auto rest = sample.payload.text();
  while (rest.size() >= 4) {
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i)
      size = size << 8 | static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
    REQUIRE(size <= rest.size() - 4);
    out.emplace_back(rest.substr(4, size));
    rest.remove_prefix(4 + size);
  }
  REQUIRE(rest.empty());
  return out;
}

std::vector<Wanted> wanted_of(const std::filesystem::path& clip, AVMediaType type) {
  const auto input = test::open(clip);
  REQUIRE(avformat_find_stream_info(input.get(), nullptr) >= 0);
  const int track = av_find_best_stream(input.get(), type, -1, -1, nullptr, 0);
  if (track < 0) return {};
  const auto codec = input->streams[track]->codecpar->codec_id;
  std::vector<Wanted> out;
  const test::Packet packet(av_packet_alloc());
  for (; av_read_frame(input.get(), packet.get()) == 0; av_packet_unref(packet.get())) {
    if (packet->stream_index != track) continue;
    const ByteSpan bytes{reinterpret_cast<const std::byte*>(packet->data),
                         static_cast<std::size_t>(packet->size)};
    Wanted wanted{packet->pts, packet->dts, (packet->flags & AV_PKT_FLAG_KEY) != 0, {}, {}};
    if (type == AVMEDIA_TYPE_VIDEO) {
      wanted.units = units_of(bytes, codec);
    } else {
      wanted.frame = as_text(bytes.subspan(codec == AV_CODEC_ID_AAC ? adts_header_bytes : 0));
    }
    out.push_back(std::move(wanted));
  }
  return out;
}

}  // namespace

TEST_CASE("every picture and every frame of sound comes out of real transport streams", "[ts][real]") {
  std::size_t compared = 0;
  for (const auto& clip : test::clips()) {
    if (clip.extension() != ".ts") continue;
    CAPTURE(clip);
    const auto got = demux(read_file(clip));
    const auto video = wanted_of(clip, AVMEDIA_TYPE_VIDEO);
    const auto audio = wanted_of(clip, AVMEDIA_TYPE_AUDIO);
    if (clip.filename() ==
        "dvb_teletext_720p25.ts") {  // recorded with losses; libavformat keeps damaged pictures
      CHECK(got.counts.lost_packets > 0);
      CHECK(got.video.size() + got.counts.damaged_units >= video.size());
      continue;
    }
    CHECK(got.counts.damaged_units == 0);
    CHECK(got.counts.lost_packets == 0);

    REQUIRE(got.video.size() == video.size());
    for (std::size_t i = 0; i < video.size(); ++i) {
      CAPTURE(i);
      REQUIRE(prefixed_units_of(got.video[i]) == video[i].units);
      REQUIRE(got.video[i].sync == video[i].key);
      const auto composition = (video[i].pts - video[i].dts) * 100 / 9;
      REQUIRE(std::abs(got.video[i].composition_us - composition) <= 1);
      const auto since = (video[i].dts - video[0].dts) * 100 / 9;
      REQUIRE(std::abs(got.video[i].dts_us - got.video[0].dts_us - since) <= 1);
    }
    // Sound long before the first picture has no place beside it.
    REQUIRE(got.audio.size() <= audio.size());
    const auto skipped = audio.size() - got.audio.size();
    CHECK((video.empty() ? skipped == 0 : skipped == got.counts.early_units));
    for (std::size_t i = 0; i < got.audio.size(); ++i) {
      CAPTURE(i);
      const auto& want = audio[i + skipped];
      REQUIRE(text_of(got.audio[i]) == want.frame);
      if (video.empty()) continue;
      // The distance between sound and picture; timestamps of TS have 11 us.
      const auto apart = (want.pts - video[0].dts) * 100 / 9;
      REQUIRE(std::abs(got.audio[i].dts_us - got.video[0].dts_us - apart) <= 12);
    }
    ++compared;
  }
  CHECK(compared >= 2);
}
