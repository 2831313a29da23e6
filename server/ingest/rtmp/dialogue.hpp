#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "server/ingest/ingest.hpp"
#include "server/ingest/rtmp/chunk_reader.hpp"
#include "server/ingest/rtmp/commands.hpp"
#include "server/ingest/rtmp/flv_tag.hpp"
#include "server/ingest/rtmp/handshake.hpp"
#include "server/ingest/rtmp/options.hpp"
#include "server/ingest/rtmp/replies.hpp"

namespace lookback::server::rtmp {

/// One RTMP connection without its socket: bytes in; answers and media out. The path of a byte: handshake,
/// then chunks to messages, then by type to the commands, the chunk layer's own messages, or the FLV reader,
/// whose items gather in `events` until taken. Pure: no clock, no I/O. Belongs to its connection's thread.
class Dialogue {
 public:
  struct Counts {
    std::uint64_t bytes = 0;
    std::uint64_t video_frames = 0, audio_frames = 0;
    std::uint64_t bad_metadata = 0;  ///< malformed or over a limit: ignored, as it only serves logs
  };

  /// `seed`: for the handshake's filling.
  Dialogue(const Options& options, std::uint64_t seed);
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  /// Takes bytes off the front of `input`: all of them at Step::more. An error is final; what `replies` holds
  /// should still reach the peer.
  Result<Step> feed(ByteSpan& input);

  /// The decision after Step::publish; feed goes on after `accept_publish` only.
  void accept_publish() { commands_.accept_publish(); }
  void refuse_publish(const Refusal& why) { commands_.refuse_publish(why); }
  void end_publish(const Refusal& why) { commands_.end_publish(why); }
  void request_reconnect() { commands_.request_reconnect(); }

  bool has_replies() const { return !replies_.bytes().empty(); }
  std::vector<std::byte> take_replies() { return std::exchange(replies_.bytes(), {}); }
  std::vector<IngestEvent> take_events() { return std::exchange(events_, {}); }

  const Commands& commands() const { return commands_; }
  const Counts& counts() const { return counts_; }
  const FlvReader::Dropped& dropped() const { return flv_.dropped(); }
  /// What onMetaData says made the stream, fit for logs; may be empty.
  const std::string& encoder() const { return encoder_; }
  /// An error in words, with the name of the codec that is not supported.
  std::string describe(const boost::system::error_code& error) const;

 private:
  Result<Step> feed_chunks(ByteSpan& input);
  Result<Step> take(const Message& message);
  Result<Step> take_media(const Message& message);
  Result<Step> take_user_control(ByteSpan body);
  void take_data(ByteSpan body);
  void take_languages(const amf0::Value& metadata);
  void tell(FlvItem& item, bool is_video);
  void acknowledge();

  const amf0::Limits amf_limits_;
  Handshake handshake_;
  bool handshaken_ = false;
  ChunkReader chunks_;
  Replies replies_;
  Commands commands_;
  FlvReader flv_;
  std::size_t listed_ = 0;  ///< tracks that the newest TrackList named
  std::vector<IngestEvent> events_;
  Counts counts_;
  std::string encoder_;
  std::uint32_t ack_window_ = 0;  ///< 0: the peer wants no acknowledgements
  std::uint64_t acknowledged_ = 0;
};

}  // namespace lookback::server::rtmp
