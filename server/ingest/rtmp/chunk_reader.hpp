#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "server/ingest/rtmp/options.hpp"
#include "server/ingest/rtmp/payload_arena.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::server::rtmp {

/// Message types (RTMP 1.0 5.4, 6.2, 7.1).
enum class MessageType : std::uint8_t {
  set_chunk_size = 1,
  abort = 2,
  acknowledgement = 3,
  user_control = 4,
  window_ack_size = 5,
  set_peer_bandwidth = 6,
  audio = 8,
  video = 9,
  data_amf3 = 15,
  command_amf3 = 17,
  data_amf0 = 18,
  command_amf0 = 20,
  aggregate = 22,
};

struct Message {
  MessageType type{};  ///< may be a number without a name here
  std::uint32_t stream_id = 0;
  std::uint32_t timestamp_ms = 0;  ///< absolute, wraps at 2^32
  Slice payload;                   ///< in one piece
};

/// Puts chunks together to messages (RTMP 1.0 5.3). The path of a byte: `next` collects the chunk header in a
/// small buffer, finds the chunk stream, and copies payload bytes into the message's own buffer, a piece of
/// the arena; with the last chunk it becomes the message's payload without another copy. A buffer grows with
/// the bytes that came, never to the declared length at once. Set Chunk Size and Abort are obeyed here and
/// not handed out. Belongs to its connection's thread. After an error the connection is of no use.
class ChunkReader {
 public:
  explicit ChunkReader(const Options& options);

  /// Takes bytes off the front of `input` until a message is whole or `input` is empty.
  /// Errors: bad_chunk, message_too_large, too_many_chunk_streams.
  Result<std::optional<Message>> next(ByteSpan& input);

  /// Memory that unfinished messages hold.
  std::size_t partial_bytes() const { return partial_bytes_; }

 private:
  /// Grows by doubling, up to the message's length; ends as the payload.
  struct Buffer {
    std::shared_ptr<std::byte[]> data;
    std::size_t size = 0, capacity = 0;
  };

  /// The last header of a chunk stream, which shorter headers refer to, and its unfinished message.
  struct ChunkStream {
    std::uint32_t id = 0;
    std::uint32_t time_field = 0;  ///< absolute after fmt 0, else a delta
    std::uint32_t timestamp_ms = 0;
    std::uint32_t length = 0;
    MessageType type{};
    std::uint32_t stream_id = 0;
    bool extended = false;  ///< time_field came in the extended timestamp
    bool in_message = false;
    Buffer buffer;
  };

  struct BasicHeader {
    std::size_t size = 0;
    unsigned fmt = 0;
    std::uint32_t id = 0;
  };

  std::optional<BasicHeader> basic_header() const;
  std::size_t header_length() const;
  bool extension_follows(const BasicHeader& basic) const;
  Result<bool> begin_chunk(ByteSpan& input);
  Result<void> begin_message(ChunkStream& stream, unsigned fmt, ByteSpan fields, ByteSpan extension);
  Result<void> continue_message(ChunkStream& stream, ByteSpan extension);
  const ChunkStream* find(std::uint32_t id) const;
  Result<ChunkStream*> find_or_add(const BasicHeader& basic);
  Result<void> append(ChunkStream& stream, ByteSpan bytes);
  Result<void> grow(Buffer& buffer, std::size_t wanted, std::size_t length);
  void drop_partial(ChunkStream& stream);
  Message finish(ChunkStream& stream);
  Result<bool> obey(const Message& message);

  const std::size_t max_chunk_size_, max_message_, max_command_, max_partial_, max_chunk_streams_;
  std::uint32_t chunk_size_ = 128;
  PayloadArena arena_;
  std::vector<ChunkStream> streams_;
  std::size_t current_ = 0;  ///< the chunk stream whose payload comes now
  bool in_chunk_ = false;
  std::size_t chunk_missing_ = 0;  ///< payload bytes of this chunk still to come
  std::array<std::byte, 18>
      header_{};  ///< 3 of the basic, 11 of the message header, 4 of the extended timestamp
  std::size_t header_size_ = 0;
  std::size_t partial_bytes_ = 0;
  /// Whether this peer repeats the extended timestamp in fmt 3 chunks; unknown until it shows.
  std::optional<bool> repeats_extension_;
};

}  // namespace lookback::server::rtmp
