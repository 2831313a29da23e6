#include "server/ingest/ts/scte35.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/server/ingest/ts/demuxed.hpp"
#include "tests/server/ingest/ts/ts_writer.hpp"

using namespace lookback;
using namespace lookback::server::ts;
using namespace lookback::support;

namespace {

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

/// The examples of ANSI/SCTE 35 section 14, whose fields stand there.
const std::string placement_start =  // 14.1: time_signal
    "FC3034000000000000FFFFF00506FE72BD0050001E021C435545494800008E7FCF0001A599B00808000000002CA0A18A3402009A"
    "C9"
    "D17E";
const std::string insert_out =  // 14.2: splice_insert
    "FC302F000000000000FFFFF014054800008F7FEFFE7369C02EFE0052CCF500000000000A0008435545490000013562DBA30A";
const std::string placement_end =  // 14.3: time_signal
    "FC302F000000000000FFFFF00506FE746290A000190217435545494800008E7F9F0808000000002CA0A18A350200A9CC6758";

/// With its CRC made good.
std::string sealed(std::string section) {
  section.resize(section.size() - 4);
  const auto crc = slow_crc32(section);
  return section + bytes_of({crc >> 24, crc >> 16 & 0xff, crc >> 8 & 0xff, crc & 0xff});
}

std::vector<Splice> parsed(const std::string& section) {
  const auto result = parse_splice_section(as_bytes(section));
  REQUIRE(result.has_value());
  return *result;
}

std::string in_packet(const std::string& section) { return std::string(1, '\0') + section; }

constexpr unsigned cue_pid = 0x104;

}  // namespace

TEST_CASE("the examples of the standard say what stands beside them there", "[ts][scte35]") {
  for (const auto* example : {&placement_start, &insert_out, &placement_end}) {
    REQUIRE(slow_crc32(from_hex(*example)) == 0);
  }
  const auto start = parsed(from_hex(placement_start));
  REQUIRE(start.size() == 1);
  CHECK(start[0].kind == Splice::Kind::out);
  CHECK(start[0].event == "segmentation-1207959694-34");
  CHECK(start[0].pts == 0x072bd0050);
  CHECK(start[0].duration == 27'630'000);  // 307 s

  const auto out = parsed(from_hex(insert_out));
  REQUIRE(out.size() == 1);
  CHECK(out[0].kind == Splice::Kind::out);
  CHECK(out[0].event == "splice-1207959695");
  CHECK(out[0].pts == 0x07369c02e);
  CHECK(out[0].duration == 0x52ccf5);  // 60.293566 s

  const auto end = parsed(from_hex(placement_end));
  REQUIRE(end.size() == 1);
  CHECK(end[0].kind == Splice::Kind::in);
  CHECK(end[0].event == start[0].event);
  CHECK(end[0].pts == 0x0746290a0);
}

TEST_CASE("pts_adjustment moves the time, over the wrap of 33 bits too", "[ts][scte35]") {
  auto section = from_hex(insert_out);
  // encrypted_packet, encryption_algorithm, then 33 bits: all ones but the last.
  section[4] = static_cast<char>(0x01);
  section.replace(5, 4, "\xff\xff\xff\xfe");
  const auto out = parsed(sealed(section));
  CHECK(out.at(0).pts == 0x07369c02e - 2);
}

TEST_CASE("null commands give nothing, other and encrypted ones a command", "[ts][scte35]") {
  auto section = from_hex(insert_out);
  section[13] = 0;
  CHECK(parsed(sealed(section)).empty());
  section[13] = static_cast<char>(0xff);
  auto own = parsed(sealed(section));
  REQUIRE(own.size() == 1);
  CHECK(own[0].kind == Splice::Kind::command);
  CHECK_FALSE(own[0].pts.has_value());
  section[13] = 5;
  section[4] = static_cast<char>(0x80);
  own = parsed(sealed(section));
  REQUIRE(own.size() == 1);
  CHECK(own[0].kind == Splice::Kind::command);
}

TEST_CASE("a section that is cut anywhere is refused or read, never read past its end", "[ts][scte35]") {
  for (const auto* example : {&placement_start, &insert_out, &placement_end}) {
    const auto whole = from_hex(*example);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const auto result = parse_splice_section(as_bytes({cut.data(), cut.size()}));
      if (result) CHECK(result->size() <= 1);
    }
  }
}

TEST_CASE("cues come out of a transport stream on the clock of its media", "[ts][scte35]") {
  TsWriter ts;
  ts.pat();
  ts.pmt({{0x1b, video_pid}, {0x86, cue_pid}});
  const std::uint64_t pts = 0x07369c02e - 8 * 90'000;  // the splice is eight seconds ahead
  ts.pes(video_pid, key_picture("one"), pts);
  ts.pes(video_pid, picture("two"), pts + 3'600);
  ts.packets(cue_pid, in_packet(from_hex(insert_out)));
  auto broken = from_hex(insert_out);
  broken[20] ^= 1;
  ts.packets(cue_pid, in_packet(broken));
  const auto got = demux(ts.bytes);
  REQUIRE(got.cues.size() == 1);
  CHECK(got.cues[0].kind == packager::SourceCue::Kind::out);
  CHECK(got.cues[0].section == insert_out);
  REQUIRE(!got.video.empty());
  CHECK(got.cues[0].pts_us.value() - got.video[0].dts_us == 8'000'000);
  CHECK(got.cues[0].duration_us == 60'293'567);  // 5,426,421 ticks
  CHECK(got.counts.bad_sections == 1);
  CHECK(got.counts.cues == 1);
  CHECK(got.notes.empty());
}
