#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lookback::support {

/// What ffprobe says of one packet. Times in the stream's own time base.
struct Packet {
  std::int64_t pts = 0, dts = 0, duration = 0;
  std::size_t size = 0;
  bool key = false;
  std::string hash;  ///< MD5 of the payload
};

struct ProbedStream {
  std::string codec;  ///< "h264", "aac"
  std::string kind;   ///< "video", "audio"
  std::uint32_t width = 0, height = 0, sample_rate = 0, channels = 0;
  std::string profile, time_base, frame_rate;
  std::vector<Packet> packets;
};

/// Streams and packets of a file in file order. Throws std::runtime_error when ffprobe refuses it or
/// complains.
std::vector<ProbedStream> ffprobe(const std::filesystem::path& file);
/// The same for bytes (init + segments).
std::vector<ProbedStream> ffprobe_bytes(std::string_view bytes);

/// Decodes everything; the complaints of the decoder (empty: it had none).
std::string decode_complaints(std::string_view bytes);

}  // namespace lookback::support
