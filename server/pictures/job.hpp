#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

/// What goes over the socket to a picture worker and back. Both directions are read as outside bytes: a
/// worker that a stream has taken over must not reach the server through its reply. Pure; fuzzed.
///
///     message = u32 size of what follows, u32 version, payload       ; little-endian
///
/// A job is sources -> pictures -> (grid) -> outputs: every source is decoded, its pictures at the wanted
/// instants are taken, perhaps laid side by side, and each is encoded in each of the outputs.
namespace lookback::server::pictures {

inline constexpr std::uint32_t protocol_version = 1;
inline constexpr std::size_t message_head_bytes = 8;
inline constexpr std::size_t max_job_bytes = 64u << 20;
inline constexpr std::size_t max_reply_bytes = 32u << 20;
inline constexpr std::size_t max_sources = 400, max_samples = 4'000, max_outputs = 8;
inline constexpr std::uint32_t max_output_side = 8'192;

/// How a source's samples are coded: the numbers of packager::Codec, and pictures of our own.
using CodecNumber = std::uint8_t;
inline constexpr CodecNumber jpeg_source = 200;

struct Sample {
  std::int64_t pts = 0;  ///< in any unit, the same in all of a source
  Slice bytes;           ///< as in the track: length-prefixed NAL units, temporal units
};

/// Samples of one track that are decoded in this order, from a sync sample on.
struct Source {
  CodecNumber codec = 0;
  std::vector<std::byte> config;  ///< body of the codec's own box (TrackFormat::config); may be empty
  std::vector<Sample> samples;
  std::vector<std::int64_t> wanted;  ///< ascending: the picture shown at each; empty: all pictures
};

enum class ImageFormat : std::uint8_t { jpeg = 1, webp = 2 };

/// How a picture goes into a size of another shape.
enum class Fit : std::uint8_t {
  contain = 1,  ///< whole, no larger than asked for and than the source; the size is an upper bound
  cover = 2,    ///< exactly the size, filled; what sticks out is cut off
  fill = 3,     ///< exactly the size, stretched
  pad = 4,      ///< exactly the size, whole in its middle, on black; never larger than the source
};

struct Output {
  ImageFormat format = ImageFormat::jpeg;
  std::uint32_t width = 0, height = 0;  ///< 0: as the other and the picture's shape ask; both 0: as it is
  Fit fit = Fit::contain;
  std::uint8_t quality = 75;  ///< 1 to 100
  bool operator==(const Output&) const = default;
};

/// Lays the pictures side by side, each in its own cell, whole, on black. What comes out is one picture.
struct Grid {
  std::uint16_t columns = 1, rows = 1;
  std::uint32_t cell_width = 0, cell_height = 0;
  std::vector<std::uint16_t> cells;  ///< of each picture, row by row; one that is not there leaves its cell
};

struct Job {
  std::uint64_t max_pixels = 0;  ///< of a source picture
  std::uint32_t max_cpu_ms = 0;
  std::vector<Source> sources;
  std::optional<Grid> grid;
  std::vector<Output> outputs;
};

/// How a job ended in the worker. Processes that crash or hang say nothing.
enum class Verdict : std::uint8_t {
  done = 0,     ///< some of the sources gave pictures; of the others there are none
  no_picture,   ///< nothing could be decoded
  too_large,    ///< a source has more than max_pixels
  unsupported,  ///< a codec that this build cannot decode or encode
  bad_job,      ///< the message breaks the protocol
  out_of_memory,
};
inline constexpr std::uint8_t last_verdict = 5;

struct Image {
  std::uint16_t picture = 0;  ///< in the order of sources and wanted instants
  std::uint16_t output = 0;
  std::uint32_t width = 0, height = 0;
  std::vector<std::byte> bytes;
};

struct Reply {
  Verdict verdict = Verdict::done;
  std::vector<Image> images;
};

/// The whole message, head included.
std::string encode(const Job& job);
std::string encode(const Reply& reply);

/// Size of the payload that follows a head. Errors: bad_message (another version, or more than `limit`).
Result<std::size_t> payload_bytes(ByteSpan head, std::size_t limit);
/// `payload`'s owner is kept by the samples. Errors: bad_message.
Result<Job> decode_job(const Slice& payload);
/// Errors: bad_message.
Result<Reply> decode_reply(ByteSpan payload);

}  // namespace lookback::server::pictures
