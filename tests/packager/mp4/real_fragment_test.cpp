#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "packager/mp4/fragment.hpp"
#include "packager/mp4/init.hpp"
#include "tests/packager/media/encoded.hpp"
#include "tests/packager/mp4/box_walker.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

constexpr Ticks start_seconds = 10;  // B-frames and priming put the first decode time below 0
constexpr Ticks limit_seconds = 16;

struct Track {
  TrackFormat format;
  std::vector<Sample> samples;
};

/// A track's packets on its format's timescale; of a long clip those before a sync sample after
/// `limit_seconds`.
Track read_track(const std::filesystem::path& file, int index) {
  const auto input = test::open(file);
  const auto* const stream = input->streams[index];
  const auto parsed = test::format_of(file, index);
  REQUIRE(parsed.has_value());
  Track track{*parsed, {}};
  const AVRational scale{1, static_cast<int>(track.format.timescale)};
  const test::Packet packet(av_packet_alloc());
  for (; av_read_frame(input.get(), packet.get()) == 0; av_packet_unref(packet.get())) {
    if (packet->stream_index != index) continue;
    const auto start = start_seconds * track.format.timescale;
    const auto pts = av_rescale_q(packet->pts, stream->time_base, scale) + start;
    const auto dts = av_rescale_q(packet->dts, stream->time_base, scale) + start;
    const bool sync = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    if (sync && dts > start + limit_seconds * track.format.timescale) break;
    const auto* const data = reinterpret_cast<const std::byte*>(packet->data);
    track.samples.push_back(
        {.dts = dts,
         .duration = std::max<Ticks>(1, av_rescale_q(packet->duration, stream->time_base, scale)),
         .composition = static_cast<std::int32_t>(pts - dts),
         .sync = sync,
         .payload = make_slice(std::vector<std::byte>(data, data + packet->size))});
    if (track.samples.size() > 1) {
      auto& before = track.samples.end()[-2];
      before.duration = dts - before.dts;
      REQUIRE(before.duration > 0);
    }
  }
  REQUIRE(!track.samples.empty());
  return track;
}

void write(std::ofstream& out, ByteSpan bytes) {
  out.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
}

/// The init and the track in parts of a third of a second.
void write_file(const std::filesystem::path& path, const Track& track) {
  std::ofstream out(path, std::ios::binary);
  const auto init = make_init(track.format);
  REQUIRE(init.has_value());
  write(out, *init);
  const auto target = static_cast<Ticks>(track.format.timescale / 3);
  const std::span<const Sample> all(track.samples);
  std::uint32_t sequence = 1;
  for (std::size_t from = 0; from < all.size();) {
    auto to = from + 1;
    while (to < all.size() && all[to].end() - all[from].dts <= target) ++to;
    for (const auto& slice : make_fragment(sequence++, all.subspan(from, to - from))) write(out, slice.bytes);
    from = to;
  }
  REQUIRE(out.flush().good());
}

/// A sample or packet as text; `pts_origin` and `dts_origin` are taken off.
struct Row {
  Ticks pts = 0, dts = 0;
  std::string size_and_flags;

  std::string text(Ticks pts_origin = 0, Ticks dts_origin = 0) const {
    return std::to_string(pts - pts_origin) + "," + std::to_string(dts - dts_origin) + "," + size_and_flags;
  }
};

/// What ffprobe finds, on `timescale`. Durations are left out: for video it prints the frame rate's instead
/// of trun's.
std::vector<Row> probed(const std::filesystem::path& file, std::uint32_t timescale) {
  const auto own_timescale = test::open(file)->streams[0]->time_base.den;
  std::istringstream lines(test::output_of({"ffprobe", "-v", "error", "-show_entries",
                                            "packet=pts,dts,size,flags", "-of", "csv=p=0", file.string()}));
  std::vector<Row> rows;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    Row row;
    char comma = 0;
    REQUIRE((fields >> row.pts >> comma >> row.dts >> comma >> row.size_and_flags));
    row.pts = av_rescale(row.pts, timescale, own_timescale);
    row.dts = av_rescale(row.dts, timescale, own_timescale);
    rows.push_back(row);
  }
  REQUIRE(!rows.empty());
  return rows;
}

std::vector<std::string> table(const std::vector<Row>& rows) {
  std::vector<std::string> lines;
  for (const auto& row : rows) lines.push_back(row.text());
  return lines;
}

/// Counted from the first packet's presentation and decode time.
std::vector<std::string> relative_table(const std::vector<Row>& rows) {
  std::vector<std::string> lines;
  for (const auto& row : rows) lines.push_back(row.text(rows.front().pts, rows.front().dts));
  return lines;
}

std::vector<Row> rows_of(const Track& track) {
  std::vector<Row> rows;
  for (const auto& sample : track.samples) {
    rows.push_back(
        {sample.pts(), sample.dts, std::to_string(sample.payload.size()) + (sample.sync ? ",K_" : ",__")});
  }
  return rows;
}

/// The file's fragments hold the track's samples: bytes, flags, and durations that leave no hole.
void check_fragments(const std::filesystem::path& file, const Track& track) {
  std::ifstream in(file, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = as_bytes(content);
  const auto top = test::boxes(bytes);
  auto expected = track.samples.begin();
  for (std::size_t i = 2; i + 1 < top.size(); i += 2) {
    const auto size = top[i].body.size() + top[i + 1].body.size() + 16;
    for (const auto& sample : test::walk_fragment(bytes.subspan(top[i].offset, size)).samples) {
      REQUIRE(expected != track.samples.end());
      REQUIRE(sample.dts == static_cast<std::uint64_t>(expected->dts));
      REQUIRE(sample.duration == expected->duration);
      REQUIRE(as_text(sample.payload) == expected->payload.text());
      ++expected;
    }
  }
  CHECK(expected == track.samples.end());
}

/// MD5 of each decoded frame of one track.
std::vector<std::string> frame_hashes(const std::filesystem::path& file, int track,
                                      const std::string& limit = "") {
  std::vector<std::string> command{"ffmpeg",
                                   "-v",
                                   "error",
                                   "-nostdin",
                                   "-noautorotate",
                                   "-ignore_editlist",
                                   "1",
                                   "-i",
                                   file.string(),
                                   "-map",
                                   "0:" + std::to_string(track),
                                   "-fps_mode",
                                   "passthrough"};
  if (!limit.empty()) command.insert(command.end(), {"-frames", limit});
  command.insert(command.end(), {"-f", "framemd5", "-"});
  std::istringstream lines(test::output_of(command));
  std::vector<std::string> hashes;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) hashes.push_back(line.substr(line.rfind(' ') + 1));
  }
  return hashes;
}

/// The first difference, so that a failure does not print thousands of lines.
std::string difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at.first == a.end() && at.second == b.end()) return "";
  return "row " + std::to_string(at.first - a.begin()) + ": " +
         (at.first == a.end() ? "nothing" : *at.first) + " / " +
         (at.second == b.end() ? "nothing" : *at.second);
}

void check_track(const std::filesystem::path& source, int index, const test::TempDir& dir) {
  const auto track = read_track(source, index);
  const auto ours = dir.path() / "ours.mp4", theirs = dir.path() / "theirs.mp4";
  write_file(ours, track);
  check_fragments(ours, track);
  CHECK(difference(table(probed(ours, track.format.timescale)), table(rows_of(track))) == "");

  const auto hashes = frame_hashes(ours, 0);
  CHECK(!hashes.empty());
  CHECK(difference(frame_hashes(source, index, std::to_string(hashes.size())), hashes) == "");

  // FFmpeg's own CMAF muxer counts from its first packet, presents it at its decode time, and counts HE-AAC
  // in ticks of the doubled rate.
  const bool needs_packets = track.format.codec == Codec::ac3 || track.format.codec == Codec::eac3;
  test::output_of(
      {"ffmpeg", "-v", "error", "-nostdin", "-y", "-i", ours.string(), "-c", "copy", "-movflags",
       std::string("frag_keyframe+empty_moov+default_base_moof+cmaf") + (needs_packets ? "+delay_moov" : ""),
       "-video_track_timescale", "90000", "-strict", "experimental", theirs.string()});
  CHECK(difference(relative_table(probed(ours, track.format.timescale)),
                   relative_table(probed(theirs, track.format.timescale))) == "");
}

}  // namespace

TEST_CASE("init and parts of real clips hold their packets, and decode to the same frames",
          "[packager][fragment]") {
  const test::TempDir dir;
  int checked = 0;
  for (const auto& clip : test::clips()) {
    const auto source = test::as_mp4(clip, dir);
    if (source.empty()) continue;
    const auto tracks = test::open(source)->nb_streams;
    for (unsigned index = 0; index < tracks; ++index) {
      if (!test::is_packaged(*test::open(source)->streams[index]->codecpar)) continue;
      CAPTURE(clip, index);
      check_track(source, static_cast<int>(index), dir);
      ++checked;
    }
  }
  CHECK(checked >= 2);
}

namespace {

const std::vector<test::Encoding>& encodings() {
  static const std::vector<test::Encoding> all{
      {"hevc",
       {"-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params",
        "log-level=none:bframes=2"}},
      {"hevc",
       {"-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1",
        "-x265-params", "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"}},
      {"av1", {"-c:v", "libsvtav1", "-preset", "12"}},
      {"vp9", {"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"}},
      {"opus", {"-c:a", "libopus", "-ac", "2"}},
      {"opus", {"-c:a", "libopus", "-ac", "6", "-mapping_family", "1", "-frame_duration", "60"}},
      {"ac3", {"-c:a", "ac3", "-ac", "6"}},
      {"eac3", {"-c:a", "eac3", "-ac", "2"}},
      {"mp3", {"-c:a", "libmp3lame", "-ar", "44100"}},
      {"mp3", {"-c:a", "libmp3lame", "-ar", "22050"}},
      {"flac", {"-c:a", "flac", "-ac", "2", "-strict", "-2"}},
  };
  return all;
}

/// The body of the codec's own box in the only sample entry of a file.
std::string config_box(const std::filesystem::path& file, const std::string& entry, const std::string& box,
                       std::size_t entry_fields) {
  std::ifstream in(file, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  test::Fields stsd(test::find_one(as_bytes(content), "moov/trak/mdia/minf/stbl/stsd").body);
  stsd.read(8);
  return std::string(
      as_text(test::find_one(test::find_one(stsd.rest(), entry).body.subspan(entry_fields), box).body));
}

}  // namespace

TEST_CASE("init and parts of every codec hold their packets, and decode to the same frames",
          "[packager][codecs]") {
  const auto encoding = GENERATE(from_range(encodings()));
  CAPTURE(encoding.codec, encoding.options);
  const test::TempDir dir;
  check_track(test::encode(encoding, dir), 0, dir);
}

TEST_CASE("a sample entry of ours has the configuration that FFmpeg's muxer writes", "[packager][codecs]") {
  struct Case {
    test::Encoding encoding;
    std::string entry, box;
  };
  const auto c = GENERATE(values<Case>({
      {{"vp9", {"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"}}, "vp09", "vpcC"},
      {{"opus", {"-c:a", "libopus", "-ac", "2"}}, "Opus", "dOps"},
      {{"opus", {"-c:a", "libopus", "-ac", "6", "-mapping_family", "1"}}, "Opus", "dOps"},
      {{"ac3", {"-c:a", "ac3", "-ac", "6", "-b:a", "384k"}}, "ac-3", "dac3"},
      {{"ac3", {"-c:a", "ac3", "-ac", "1", "-ar", "44100"}}, "ac-3", "dac3"},
      {{"eac3", {"-c:a", "eac3", "-ac", "6", "-b:a", "256k"}}, "ec-3", "dec3"},
      {{"flac", {"-c:a", "flac", "-ac", "2", "-strict", "-2"}}, "fLaC", "dfLa"},
  }));
  CAPTURE(c.encoding.codec, c.encoding.options);
  const test::TempDir dir;
  const auto theirs = test::encode(c.encoding, dir), ours = dir.path() / "init.mp4";
  std::ofstream out(ours, std::ios::binary);
  write(out, make_init(test::format_of(theirs, 0).value()).value());
  out.close();
  const std::size_t fields = c.encoding.is_video() ? 78 : 28;
  CHECK(config_box(ours, c.entry, c.box, fields) == config_box(theirs, c.entry, c.box, fields));
}
