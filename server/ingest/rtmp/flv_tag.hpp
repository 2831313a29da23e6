#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "packager/media/sample.hpp"
#include "packager/media/track_format.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::server::rtmp {

/// What an audio or video message holds: nothing for us, a new codec configuration, or an access unit.
using FlvItem = std::variant<std::monostate, packager::TrackFormat, packager::SourceSample>;

/// Makes the 32-bit millisecond clock of one connection, which wraps after 49.7 days, count on: a step of
/// less than 2^31 in either direction is taken as it is.
class TimestampUnwrapper {
 public:
  std::int64_t unwrap_ms(std::uint32_t timestamp_ms);

 private:
  std::optional<std::int64_t> last_;
};

/// Reads the payloads of RTMP audio and video messages: FLV tag bodies (Adobe Flash Video File Format 10.1,
/// E.4.2 and E.4.3) with AVC or AAC. Samples are slices of the message: nothing is copied.
/// A sync sample is what the encoder marks as one (frame type 1), so that open GOPs, which have recovery
/// points and no IDR pictures, can be cut too. Belongs to its connection's thread.
class FlvReader {
 public:
  /// What was left out, with a session going on: one bad frame is no reason to end it.
  struct Dropped {
    std::uint64_t empty = 0;         ///< no bytes of media
    std::uint64_t damaged = 0;       ///< NAL unit lengths do not fit, or a composition time beyond 35 minutes
    std::uint64_t unconfigured = 0;  ///< before the codec configuration
  };

  /// Errors: bad_tag (cut short), unsupported_codec, and those of packager::parse_avc_config.
  Result<FlvItem> video(const Slice& payload, std::uint32_t timestamp_ms);
  /// Errors: bad_tag (cut short), unsupported_codec, and those of packager::parse_aac_config.
  Result<FlvItem> audio(const Slice& payload, std::uint32_t timestamp_ms);

  const Dropped& dropped() const { return dropped_; }
  /// The name of the codec that unsupported_codec was about: "HEVC", "MP3", "Enhanced RTMP av01".
  const std::string& unsupported_codec() const { return unsupported_codec_; }

 private:
  Result<FlvItem> avc_sample(const Slice& payload, bool sync, std::int64_t dts_ms);
  using ConfigParser = Result<packager::TrackFormat> (*)(ByteSpan);
  Result<FlvItem> configured(std::optional<packager::TrackFormat>& current, ConfigParser parse,
                             ByteSpan config);
  Result<FlvItem> unsupported(std::string name);

  TimestampUnwrapper clock_;
  std::optional<packager::TrackFormat> video_, audio_;
  Dropped dropped_;
  std::string unsupported_codec_;
};

}  // namespace lookback::server::rtmp
