#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "packager/media/track_format.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

/// What stands in front of the media in an audio or video message: the tag headers of FLV (Adobe Flash Video
/// File Format 10.1, E.4.2 and E.4.3) and of Enhanced RTMP v1 and v2 ("ExVideoTagHeader",
/// "ExAudioTagHeader"). Pure.
namespace lookback::server::rtmp {

struct FlvPacket {
  enum class Kind : std::uint8_t {
    none,    ///< commands, metadata, ends of sequences: nothing for us
    config,  ///< `body` is a codec configuration; it may be empty
    media,   ///< `body` is an access unit
  };
  Kind kind = Kind::none;
  packager::Codec codec = packager::Codec::avc;
  bool sync = false;                ///< video: marked as a key picture
  std::uint8_t track = 0;           ///< of a multitrack message
  std::uint32_t offset_ns = 0;      ///< ModEx TimestampOffsetNano: 0 to 999,999, on top of the message's time
  std::int32_t composition_ms = 0;  ///< PTS - DTS
  ByteSpan body;                    ///< a piece of the message
  std::vector<FlvPacket> more;      ///< the other tracks of a multitrack message
  /// What cannot be packaged, by name ("VP6", "Enhanced RTMP vvc1"); empty: `codec` can.
  std::string unsupported;
};

/// Reads the front of a message that is not empty. Errors: bad_tag (cut short, or a packet type that the
/// protocol does not have).
Result<FlvPacket> read_video_packet(ByteSpan message);
Result<FlvPacket> read_audio_packet(ByteSpan message);

}  // namespace lookback::server::rtmp
