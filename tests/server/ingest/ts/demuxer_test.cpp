#include "server/ingest/ts/demuxer.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>

#include "tests/server/ingest/ts/demuxed.hpp"
#include "tests/server/ingest/ts/ts_writer.hpp"

using namespace lookback;
using namespace lookback::server::ts;
using namespace lookback::support;
using packager::MediaKind;

namespace {

const std::vector<TsWriter::Stream> av{{0x1b, video_pid}, {0x0f, audio_pid, "deu"}};

TsWriter with_tables(const std::vector<TsWriter::Stream>& streams = av) {
  TsWriter out;
  out.pat();
  out.pmt(streams);
  return out;
}

std::vector<std::int64_t> times(const std::vector<packager::SourceSample>& samples) {
  std::vector<std::int64_t> out;
  for (const auto& sample : samples) out.push_back(sample.dts_us);
  return out;
}

}  // namespace

TEST_CASE("pictures come out with length prefixes, their times and without parameter sets", "[ts][avc]") {
  auto ts = with_tables();
  ts.pes(video_pid, key_picture("one"), 93'600, 90'000);
  ts.pes(video_pid, picture("two") + start_code() + bytes_of({0x41}) + "slice", 97'200, 93'600);
  const auto piece = GENERATE(std::size_t{1}, 187, 188, 1'316, 100'000);
  const auto got = demux(ts.bytes, piece);
  REQUIRE(got.formats.size() == 1);
  CHECK(got.formats[0].codecs == "avc1.640015");
  CHECK(got.formats[0].coded_width == 480);
  CHECK(got.formats[0].coded_height == 270);
  // The record that FFmpeg wrote into the clip these parameter sets are of.
  CHECK(as_text(got.formats[0].config) == bytes_of({1, 0x64, 0, 0x15, 0xff, 0xe1, 0, 25}) + sps_270p() +
                                              bytes_of({1, 0, 6}) + pps_270p() +
                                              bytes_of({0xfd, 0xf8, 0xf8, 0}));
  REQUIRE(got.video.size() == 2);
  CHECK(text_of(got.video[0]) == in_sample(0x65, "one"));
  CHECK(text_of(got.video[1]) == in_sample(0x41, "two") + in_sample(0x41, "slice"));
  CHECK(got.video[0].sync);
  CHECK_FALSE(got.video[1].sync);
  CHECK(times(got.video) == std::vector<std::int64_t>{1'000'000, 1'040'000});
  CHECK(got.video[0].composition_us == 40'000);
}

TEST_CASE("AAC frames come one or many in a PES packet, and cut by its end", "[ts][aac]") {
  auto ts = with_tables({{0x0f, audio_pid}});
  ts.pes(audio_pid, adts("one"), 90'000, {}, true, 0xc0);
  const auto cut = adts("four");
  ts.pes(audio_pid, adts("two") + adts("three") + cut.substr(0, 9), 91'920, {}, true, 0xc0);
  ts.pes(audio_pid, cut.substr(9) + adts("five"), 97'680, {}, true, 0xc0);
  ts.pes(audio_pid, adts("six"), {}, {}, true, 0xc0);
  const auto got = demux(ts.bytes);
  REQUIRE(got.formats.size() == 1);
  CHECK(got.formats[0].codecs == "mp4a.40.2");
  CHECK(as_text(got.formats[0].config) == bytes_of({0x11, 0x90}));  // LC, 48 kHz, stereo
  std::string texts;
  for (const auto& sample : got.audio) texts += text_of(sample) + " ";
  CHECK(texts == "one two three four five six ");
  // 1,024 samples of 48 kHz are 1,920 ticks; the timestamp of the third packet is that of "five".
  CHECK(times(got.audio) ==
        std::vector<std::int64_t>{1'000'000, 1'021'333, 1'042'667, 1'064'000, 1'085'333, 1'106'667});
}

TEST_CASE("a session that joins in mid-GOP begins with the next key picture and the sound beside it",
          "[ts][start]") {
  auto ts = with_tables();
  for (unsigned i = 0; i < 30; ++i) {
    ts.pes(audio_pid, adts("a" + std::to_string(i)), 90'000 + i * 1'920, {}, true, 0xc0);
    if (i == 5) ts.pes(video_pid, picture("before"), 100'000);
    if (i == 20) ts.pes(video_pid, key_picture("key"), 90'000 + 15 * 1'920);
    if (i == 25) ts.pes(video_pid, picture("after"), 90'000 + 17 * 1'920);
  }
  const auto got = demux(ts.bytes);
  REQUIRE(got.video.size() == 2);
  CHECK(got.video[0].sync);
  CHECK(got.counts.early_units > 0);
  const auto first_sample = std::ranges::find_if(
      got.events, [](const auto& event) { return std::holds_alternative<packager::SourceSample>(event); });
  CHECK(std::get<packager::SourceSample>(*first_sample).kind == MediaKind::video);
  REQUIRE(!got.audio.empty());
  // Everything from the picture on, and no more than 100 ms before it.
  CHECK(got.audio.front().dts_us <= got.video[0].dts_us);
  CHECK(got.audio.front().dts_us >= got.video[0].dts_us - 100'000);
  CHECK(text_of(got.audio.back()) == "a29");
  const auto frames = static_cast<std::int64_t>(got.audio.size() - 1);
  CHECK(std::abs(times(got.audio).back() - times(got.audio).front() - frames * 1'024 * 1'000'000 / 48'000) <=
        1);
}

TEST_CASE("a program that shows no key picture for twelve seconds begins with its sound", "[ts][start]") {
  auto ts = with_tables();
  for (unsigned i = 0; i < 700; ++i) {  // 14.9 s
    ts.pes(audio_pid, adts("a"), 90'000 + i * 1'920, {}, true, 0xc0);
    if (i % 2 == 0) ts.pes(video_pid, picture("p"), 90'000 + i * 1'920);
  }
  const auto got = demux(ts.bytes);
  CHECK(got.audio.size() == 700);
  CHECK(got.video.empty());
}

TEST_CASE("times count on over two wraps of 33 bits, for every PID alike", "[ts][clock]") {
  auto ts = with_tables();
  constexpr std::uint64_t wrap = 1ull << 33, step = 90'000 * 600;  // a picture every ten minutes, for 60 h
  const std::uint64_t start = wrap - step / 2;
  for (std::uint64_t i = 0; i < 360; ++i) {
    const auto time = (start + i * step) % wrap;
    ts.pes(video_pid, key_picture("v"), (time + 7'200) % wrap, time);
    ts.pes(audio_pid, adts("a"), (time + 3'600) % wrap, {}, true, 0xc0);
  }
  const auto got = demux(ts.bytes);
  REQUIRE(got.video.size() == 360);
  REQUIRE(got.audio.size() == 360);
  const auto origin = static_cast<std::int64_t>(start) * 100 / 9;
  for (std::size_t i = 0; i < 360; ++i) {
    CAPTURE(i);
    const auto expected = origin + static_cast<std::int64_t>(i) * 600'000'000;
    CHECK(std::abs(got.video[i].dts_us - expected) <= 1);
    CHECK(std::abs(got.audio[i].dts_us - expected - 40'000) <= 1);
    CHECK(std::abs(got.video[i].composition_us - 80'000) <= 1);
  }
  CHECK(got.video.back().dts_us - got.video.front().dts_us > 2 * 95'443'717'689);  // two wraps
}

TEST_CASE("a picture with a packet missing is counted and left out, the others are untouched", "[ts][loss]") {
  auto ts = with_tables({{0x1b, video_pid}});
  const std::string long_text(2'000, 'x');
  std::vector<std::size_t> starts;
  for (unsigned i = 0; i < 10; ++i) {
    starts.push_back(ts.bytes.size());
    ts.pes(video_pid, i == 0 ? key_picture(long_text) : picture(long_text), 90'000 + i * 3'600);
  }
  const auto whole = demux(ts.bytes);
  REQUIRE(whole.video.size() == 10);
  CHECK(whole.counts.damaged_units == 0);
  const auto missing = GENERATE(0, 1, 5, 11);  // of the twelve packets of the fifth picture
  auto bytes = ts.bytes;
  bytes.erase(starts[4] + static_cast<std::size_t>(missing) * 188, 188);
  const auto got = demux(bytes);
  CAPTURE(missing);
  CHECK(got.counts.lost_packets == 1);
  CHECK(got.counts.damaged_units >= 1);
  for (const auto& sample : got.video) CHECK(sample.payload.size() >= long_text.size());
  // Without its first packet the loss is seen in the picture before, which then may lack its end as well.
  CHECK(got.video.size() == (missing == 0 ? 8u : 9u));
}

TEST_CASE("a last picture that may go on is left out, one whose packet was filled up is whole",
          "[ts][loss]") {
  auto ts = with_tables({{0x1b, video_pid}});
  ts.pes(video_pid, key_picture("one"), 90'000);
  const auto second = ts.bytes.size();
  ts.pes(video_pid, picture(std::string(1'000, 'x')), 93'600);
  CHECK(demux(ts.bytes).video.size() == 2);
  const auto cut = demux(ts.bytes.substr(0, second + 3 * 188));
  CHECK(cut.video.size() == 1);
  CHECK(cut.counts.damaged_units == 1);
}

TEST_CASE("packets that come twice are taken once", "[ts][loss]") {
  auto ts = with_tables({{0x1b, video_pid}});
  ts.pes(video_pid, key_picture(std::string(1'000, 'x')), 90'000);
  ts.pes(video_pid, picture("y"), 93'600);
  std::string twice;
  for (std::size_t at = 0; at < ts.bytes.size(); at += 188) {
    twice += ts.bytes.substr(at, 188) + ts.bytes.substr(at, 188);
  }
  const auto got = demux(twice);
  CHECK(got.video.size() == 2);
  CHECK(got.counts.damaged_units == 0);
  CHECK(got.counts.duplicate_packets > 0);
}

TEST_CASE("a stream that starts in mid-packet, or has noise inside, is found again", "[ts][sync]") {
  auto ts = with_tables({{0x1b, video_pid}});
  ts.pes(video_pid, key_picture("one"), 90'000);
  const auto noise_at = ts.bytes.size();
  ts.pes(video_pid, picture("two"), 93'600);
  ts.pes(video_pid, picture("three"), 97'200);
  auto bytes = ts.bytes;
  bytes.insert(noise_at, std::string(77, 'x'));
  bytes.insert(0, std::string(100, 'x'));
  const auto got = demux(bytes);
  CHECK(got.video.size() == 3);
  CHECK(got.counts.skipped_bytes == 177);
}

TEST_CASE("what cannot be carried is named once, and its packets are counted", "[ts][psi]") {
  auto ts = with_tables({{0x1b, video_pid},
                         {0x0f, audio_pid, "eng"},
                         {0x02, 0x102},
                         {0x86, 0x103},
                         {0x15, 0x104},
                         {0x06, 0x105, "", "AV01"},
                         {0x02, 0x106}});
  for (int i = 0; i < 3; ++i) {
    ts.pmt({{0x1b, video_pid}, {0x0f, audio_pid, "eng"}, {0x02, 0x102}});
    for (const unsigned pid : {0x102u, 0x103u, 0x104u, 0x105u, 0x106u}) ts.packet(pid, "x", false);
  }
  const auto got = demux(ts.bytes);
  CHECK(got.notes == std::vector<std::string>{
                         "PID 258 (MPEG-2 video) is not carried: its packets are counted and dropped",
                         "PID 260 (ID3 metadata) is not carried: its packets are counted and dropped",
                         "PID 261 (AV1) is not carried: its packets are counted and dropped",
                         "PID 262 (MPEG-2 video) is not carried: its packets are counted and dropped"});
  CHECK(got.counts.ignored_packets == 15);
}

TEST_CASE("all pictures and sounds of a program are tracks, with their languages, up to the bound",
          "[ts][tracks]") {
  using packager::SourceTrack;
  const SourceTrack v0{MediaKind::video, 0}, v1{MediaKind::video, 1}, a0{MediaKind::audio, 0},
      a1{MediaKind::audio, 1};
  TsWriter ts;
  ts.pat();
  ts.pmt({{0x1b, 0x100}, {0x1b, 0x101}, {0x0f, 0x110, "eng"}, {0x0f, 0x111, "deu"}, {0x0f, 0x112, "fra"}});
  for (std::uint64_t i = 0; i < 4; ++i) {
    ts.pes(0x100, i == 0 ? key_picture("large") : picture("large"), 90'000 + i * 3'600);
    ts.pes(0x101, i == 0 ? key_picture("small", sps_360p(), pps_360p()) : picture("small"),
           90'000 + i * 3'600);
    ts.pes(0x110, adts("hello"), 90'000 + i * 1'920, {}, true, 0xc0);
    ts.pes(0x111, adts("hallo"), 90'000 + i * 1'920, {}, true, 0xc1);
    ts.pes(0x112, adts("salut"), 90'000 + i * 1'920, {}, true, 0xc2);
  }
  const auto got = demux(ts.bytes, 1'316, {.max_tracks = 4});
  CHECK(got.lists == std::vector<std::vector<SourceTrack>>{{v0, v1, a0, a1}});
  CHECK(got.notes ==
        std::vector<std::string>{"PID 274 (AAC, fra) is not carried: limits.max_tracks are taken"});
  REQUIRE(got.video.size() == 8);
  REQUIRE(got.audio.size() == 8);
  for (const auto& sample : got.video) {
    const bool large = text_of(sample).ends_with("large");
    CHECK(sample.track() == (large ? v0 : v1));
  }
  for (const auto& sample : got.audio) CHECK(sample.track() == (text_of(sample) == "hello" ? a0 : a1));
  for (const auto& format : got.formats) {
    if (format.kind == MediaKind::video) CHECK(format.language.empty());
  }
  std::map<std::uint8_t, std::string> languages;
  for (const auto& event : got.events) {
    const auto* change = std::get_if<server::FormatChange>(&event);
    if (change && change->format.kind == MediaKind::audio)
      languages[change->number] = change->format.language;
  }
  CHECK(languages == std::map<std::uint8_t, std::string>{{0, "eng"}, {1, "deu"}});
}

TEST_CASE("a PMT that changes ends tracks and begins others; those that stay keep their numbers",
          "[ts][tracks]") {
  using packager::SourceTrack;
  const SourceTrack v0{MediaKind::video, 0}, v1{MediaKind::video, 1}, a0{MediaKind::audio, 0},
      a1{MediaKind::audio, 1}, a2{MediaKind::audio, 2};
  TsWriter ts;
  ts.pat();
  ts.pmt({{0x1b, 0x100}, {0x0f, 0x110, "eng"}, {0x0f, 0x111, "deu"}});
  ts.pes(0x100, key_picture("one"), 90'000);
  ts.pmt({{0x1b, 0x101}, {0x1b, 0x100}, {0x0f, 0x111, "deu"}}, 1);  // a picture more, a sound less
  ts.pes(0x101, key_picture("two"), 93'600);
  ts.pmt({{0x1b, 0x101}, {0x1b, 0x100}, {0x0f, 0x111, "fra"}}, 2);  // another language is another track
  ts.pmt({{0x1b, 0x101}, {0x02, 0x100}, {0x0f, 0x112, "eng"}}, 3);  // English is back, a codec is not carried
  const auto got = demux(ts.bytes);
  CHECK(got.lists ==
        std::vector<std::vector<SourceTrack>>{{v0, a0, a1}, {v1, v0, a1}, {v1, v0, a2}, {v1, a0}});
}

TEST_CASE("of several programs the first is taken, and its PIDs may move", "[ts][psi]") {
  TsWriter ts;
  ts.pat({{0, 0x10}, {7, 0x1000}, {8, 0x1001}});
  ts.pmt({{0x1b, video_pid}}, 0, 0x1000, 7);
  ts.pmt({{0x1b, 0x200}}, 0, 0x1001, 8);
  ts.pes(video_pid, key_picture("one"), 90'000);
  ts.pes(0x200, key_picture("other"), 90'000);
  ts.pmt({{0x1b, 0x110}}, 1, 0x1000, 7);  // ends "one"
  ts.pes(0x110, key_picture("two"), 93'600);
  ts.pat({{7, 0x1002}, {8, 0x1001}}, 1);
  ts.pmt({{0x1b, 0x120}}, 2, 0x1002, 7);
  ts.pes(0x120, key_picture("three"), 97'200);
  const auto got = demux(ts.bytes);
  std::string texts;
  for (const auto& sample : got.video) texts += text_of(sample).substr(5) + " ";
  CHECK(texts == "one two three ");
  CHECK(got.notes == std::vector<std::string>{"the stream has 2 programs: number 7 is taken"});
}

TEST_CASE("a table with a wrong CRC changes nothing", "[ts][psi]") {
  auto ts = with_tables({{0x1b, video_pid}});
  TsWriter other;
  other.counters = ts.counters;
  other.pmt({{0x1b, 0x200}});
  const auto at = GENERATE(5, 12, 14);  // of the section: its version, a stream's type, its PID
  other.bytes[4 + 1 + static_cast<std::size_t>(at)] ^= 1;
  ts.bytes += other.bytes;
  ts.counters = other.counters;
  ts.pes(video_pid, key_picture("one"), 90'000);
  const auto got = demux(ts.bytes);
  CHECK(got.video.size() == 1);
  CHECK(got.counts.bad_sections == 1);
}

TEST_CASE("parameters that change with a key picture give a new format, others stay in their sample",
          "[ts][avc]") {
  auto ts = with_tables({{0x1b, video_pid}});
  ts.pes(video_pid, key_picture("one"), 90'000);
  ts.pes(video_pid, key_picture("two"), 93'600);  // the same again
  ts.pes(video_pid, delimiter() + start_code() + pps_360p() + start_code() + bytes_of({0x41}) + "three",
         97'200);
  ts.pes(video_pid, key_picture("four", sps_360p(), pps_360p()), 100'800);
  const auto got = demux(ts.bytes);
  REQUIRE(got.formats.size() == 2);
  CHECK(got.formats[1].coded_width == 640);
  REQUIRE(got.video.size() == 4);
  CHECK(text_of(got.video[2]) == in_sample(0x68, pps_360p().substr(1)) + in_sample(0x41, "three"));
  CHECK(text_of(got.video[3]) == in_sample(0x65, "four"));
}

TEST_CASE("recovery points are sync samples: open GOPs have no IDR pictures", "[ts][avc]") {
  auto ts = with_tables({{0x1b, video_pid}});
  const auto sei =
      start_code() + bytes_of({0x06, 0x05, 2, 1, 2, 0x06, 1, 0xc4, 0x80});  // user data, then type 6
  ts.pes(
      video_pid,
      delimiter() + start_code() + sps_270p() + start_code() + pps_270p() + sei + start_code() + "\x41open",
      90'000);
  ts.pes(video_pid, picture("next"), 93'600);
  const auto got = demux(ts.bytes);
  REQUIRE(got.video.size() == 2);
  CHECK(got.video[0].sync);
  CHECK_FALSE(got.video[1].sync);
}

TEST_CASE("a changed ADTS header counts when it comes twice", "[ts][aac]") {
  auto ts = with_tables({{0x0f, audio_pid}});
  std::uint64_t at = 90'000;
  for (const auto& frame :
       {adts("a"), adts("flip", 4), adts("b"), adts("c", 4), adts("d", 4), adts("e", 4)}) {
    ts.pes(audio_pid, frame, at += 1'920, {}, true, 0xc0);
  }
  const auto got = demux(ts.bytes);
  std::string texts;
  for (const auto& sample : got.audio) texts += text_of(sample) + " ";
  CHECK(texts == "a b d e ");
  REQUIRE(got.formats.size() == 2);
  CHECK(got.formats[1].sample_rate == 44'100);
  CHECK(got.counts.damaged_units == 2);
}

TEST_CASE("a unit above the bound is left out, and memory stays below it", "[ts][bound]") {
  auto ts = with_tables({{0x1b, video_pid}});
  ts.pes(video_pid, key_picture("one"), 90'000);
  ts.pes(video_pid, picture(std::string(300'000, 'x')), 93'600);
  ts.pes(video_pid, picture("three"), 97'200);
  const auto got = demux(ts.bytes, 1'316, {.max_unit_bytes = 100'000});
  CHECK(got.video.size() == 2);
  CHECK(got.counts.damaged_units == 1);
  CHECK(got.most_held <= 200'000);  // a vector grows by doubling
}

TEST_CASE("scrambled packets and such that are marked as damaged are as good as lost", "[ts][loss]") {
  auto ts = with_tables({{0x1b, video_pid}});
  ts.pes(video_pid, key_picture("one"), 82'800);
  ts.pes(video_pid, picture("its end is not known"), 86'400);
  const auto second = ts.bytes.size();
  ts.pes(video_pid, picture("two"), 93'600);
  ts.pes(video_pid, picture("three"), 97'200);
  ts.pes(video_pid, picture("four"), 100'800);
  const bool scrambled = GENERATE(true, false);
  ts.bytes[second + (scrambled ? 3 : 1)] ^= '\x80';
  const auto got = demux(ts.bytes);
  CHECK(got.counts.bad_packets == 1);
  CHECK(got.counts.lost_packets == 1);
  CHECK(text_of(got.video.back()) == in_sample(0x41, "four"));
  CHECK(std::ranges::none_of(got.video, [](const auto& s) { return text_of(s) == in_sample(0x41, "two"); }));
}
