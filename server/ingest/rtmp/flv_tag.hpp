#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "packager/media/sample.hpp"
#include "packager/media/track_format.hpp"
#include "server/ingest/rtmp/flv_header.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::server::rtmp {

/// What an audio or video message holds: a new codec configuration, an access unit, both (codecs that
/// describe themselves in their frames), or nothing for us.
struct FlvItem {
  std::uint8_t number = 0;  ///< of the track, as the encoder has it
  std::optional<packager::TrackFormat> format;
  std::optional<packager::SourceSample> sample;
  std::vector<FlvItem> more;  ///< the other tracks of a multitrack message
  bool empty() const { return !format && !sample; }
};

/// Makes the 32-bit millisecond clock of one connection, which wraps after 49.7 days, count on: a step of
/// less than 2^31 in either direction is taken as it is.
class TimestampUnwrapper {
 public:
  std::int64_t unwrap_ms(std::uint32_t timestamp_ms);

 private:
  std::optional<std::int64_t> last_;
};

/// Turns RTMP audio and video messages into formats and samples, which are slices of the message: nothing is
/// copied. A sync sample is what the encoder marks as one, so that open GOPs, which have recovery points and
/// no IDR pictures, can be cut too. All tracks of a connection are taken, up to a bound. Belongs to its
/// connection's thread.
class FlvReader {
 public:
  /// `max_tracks`: of each kind; with another one the session ends.
  explicit FlvReader(std::size_t max_tracks = 16) : max_tracks_(max_tracks) {}

  /// What was left out, with a session going on: one bad frame is no reason to end it.
  struct Dropped {
    std::uint64_t empty = 0;         ///< no bytes of media
    std::uint64_t damaged = 0;       ///< not well formed inside, or a composition time beyond 35 minutes
    std::uint64_t unconfigured = 0;  ///< before the codec configuration
  };

  /// Errors: bad_tag (cut short), unsupported_codec, and those of the codec's configuration parser.
  Result<FlvItem> video(const Slice& payload, std::uint32_t timestamp_ms);
  Result<FlvItem> audio(const Slice& payload, std::uint32_t timestamp_ms);

  /// The language of an audio track, ISO 639-2, for formats from now on.
  void set_language(std::uint8_t track, std::string language);
  /// Those that have a format.
  std::vector<packager::SourceTrack> tracks() const;

  const Dropped& dropped() const { return dropped_; }
  /// The name of what unsupported_codec was about: "VP6", "Enhanced RTMP vvc1", "More than 16 audio tracks".
  const std::string& unsupported_codec() const { return unsupported_codec_; }

 private:
  struct Track {
    packager::SourceTrack id;
    std::optional<packager::TrackFormat> format;
    std::vector<std::byte> record;  ///< a configuration that is not whole without a key picture

    bool is_video() const { return id.kind == packager::MediaKind::video; }
  };

  Result<FlvItem> take(packager::MediaKind kind, const Result<FlvPacket>& packet, const Slice& payload,
                       std::uint32_t timestamp_ms);
  Result<FlvItem> take_one(packager::MediaKind kind, const FlvPacket& packet, const Slice& payload,
                           std::int64_t dts_ms);
  Track* track(packager::SourceTrack id);
  Result<FlvItem> take_frame(Track& track, const FlvPacket& packet, const Slice& payload,
                             std::int64_t dts_ms);
  Result<FlvItem> configure(Track& track, const FlvPacket& packet);
  Result<bool> describe(Track& track, const FlvPacket& packet, FlvItem& item);
  void adopt(Track& track, packager::TrackFormat next, FlvItem& item) const;
  Result<FlvItem> refuse(packager::Codec codec, const boost::system::error_code& error);
  Result<FlvItem> unsupported(std::string name);

  const std::size_t max_tracks_;
  TimestampUnwrapper clock_;
  std::deque<Track> tracks_;
  std::map<std::uint8_t, std::string> languages_;  ///< of audio tracks
  Dropped dropped_;
  std::string unsupported_codec_;
};

}  // namespace lookback::server::rtmp
