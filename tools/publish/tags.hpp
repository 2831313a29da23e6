#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/bytes.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
}

/// Messages of Enhanced RTMP made of packets as MP4 and Matroska files hold them.
namespace lookback::publish {

using Bytes = std::vector<std::byte>;

/// The FourCC of a codec ("hvc1", "Opus"); empty: Enhanced RTMP has none.
std::string_view fourcc_of(AVCodecID codec);

/// One track of a connection.
class TagWriter {
 public:
  /// `number`: of the track among those of its kind; another than 0 goes out as multitrack messages. Throws
  /// std::runtime_error when the configuration is not as MP4 has it (H.264 out of a transport stream).
  TagWriter(const AVCodecParameters& track, std::uint8_t number);

  std::string_view fourcc() const { return fourcc_; }
  /// SequenceStart; empty for codecs that have none. VP9's is made of the first key picture.
  Bytes sequence_start(const AVPacket& first) const;
  /// A frame, without its time. `nanoseconds`: the rest of its time behind the millisecond, as ModEx; 0:
  /// none.
  Bytes frame(const AVPacket& packet, std::int32_t composition_ms, std::uint32_t nanoseconds) const;

 private:
  unsigned first_byte(bool key, unsigned packet_type) const;
  unsigned outer_type(unsigned packet_type) const;
  void put_front(unsigned packet_type, Bytes& out) const;

  const bool is_video_;
  const std::uint8_t number_;
  const AVCodecID codec_;
  const std::string_view fourcc_;
  const Bytes config_;
};

}  // namespace lookback::publish
