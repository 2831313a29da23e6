#include "tests/support/ffprobe.hpp"

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "tests/support/playlist.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace lookback::support {
namespace {

/// "packet|stream_index=0|pts=1" of `-of compact`.
std::map<std::string, std::string> read_record(const std::string& line) {
  std::map<std::string, std::string> record;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '|');) {
    const auto equals = field.find('=');
    if (equals == std::string::npos)
      record.emplace("section", field);  // the first; side data are sections inside
    else
      record[field.substr(0, equals)] = field.substr(equals + 1);
  }
  return record;
}

/// 0 where ffprobe has no value ("N/A").
std::int64_t number(const std::string& text) {
  const bool negative = text.starts_with('-');
  const auto value =
      static_cast<std::int64_t>(parse_integer(std::string_view(text).substr(negative ? 1 : 0)).value_or(0));
  return negative ? -value : value;
}

ProbedStream read_stream(std::map<std::string, std::string>& record) {
  ProbedStream stream;
  stream.codec = record["codec_name"];
  stream.kind = record["codec_type"];
  stream.width = static_cast<std::uint32_t>(number(record["width"]));
  stream.height = static_cast<std::uint32_t>(number(record["height"]));
  stream.sample_rate = static_cast<std::uint32_t>(number(record["sample_rate"]));
  stream.channels = static_cast<std::uint32_t>(number(record["channels"]));
  stream.profile = record["profile"];
  stream.time_base = record["time_base"];
  stream.frame_rate = record["r_frame_rate"];
  return stream;
}

std::filesystem::path write_file(const TempDir& folder, std::string_view bytes) {
  const auto path = folder.path() / "media.mp4";
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
  return path;
}

}  // namespace

std::vector<ProbedStream> ffprobe(const std::filesystem::path& file) {
  const auto done = run(
      {"ffprobe", "-v", "error", "-show_streams", "-show_packets", "-show_data_hash", "MD5", "-show_entries",
       "stream=index,codec_name,codec_type,profile,width,height,sample_rate,channels,time_base,"
       "r_frame_rate:packet=stream_index,pts,dts,duration,size,flags,data_hash",
       "-of", "compact", file.string()});
  if (done.exit_code != 0 || !done.err.empty())
    throw std::runtime_error("ffprobe " + file.string() + ": " + done.err);

  std::map<std::int64_t, ProbedStream> streams;
  std::map<std::int64_t, std::vector<Packet>> packets;
  std::istringstream in(done.out);
  std::vector<Packet>* last = nullptr;  // of whose newest packet side data were told
  for (std::string line; std::getline(in, line);) {
    auto record = read_record(line);
    // The line of a packet with side data is broken behind them.
    if (line.starts_with('|') && last != nullptr) last->back().hash = record["data_hash"];
    if (record["section"] == "stream") {
      streams[number(record["index"])] = read_stream(record);
    } else if (record["section"] == "packet") {
      last = &packets[number(record["stream_index"])];
      last->push_back({.pts = number(record["pts"]),
                       .dts = number(record["dts"]),
                       .duration = number(record["duration"]),
                       .size = static_cast<std::size_t>(number(record["size"])),
                       .key = record["flags"].starts_with('K'),
                       .hash = record["data_hash"]});
    }
  }
  std::vector<ProbedStream> list;
  for (auto& [index, stream] : streams) {
    stream.packets = std::move(packets[index]);
    list.push_back(std::move(stream));
  }
  return list;
}

std::vector<ProbedStream> ffprobe_bytes(std::string_view bytes) {
  const TempDir folder;
  return ffprobe(write_file(folder, bytes));
}

std::string decode_complaints(std::string_view bytes) {
  const TempDir folder;
  const auto file = write_file(folder, bytes);
  const auto done = run({"ffmpeg", "-v", "warning", "-nostdin", "-i", file.string(), "-f", "null", "-"},
                        std::chrono::seconds(120));
  if (done.exit_code != 0)
    return "exit code " + std::to_string(done.exit_code.value_or(-1)) + ": " + done.err;
  return done.err;
}

}  // namespace lookback::support
