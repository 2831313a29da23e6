#include "server/ingest/rtmp/chunk_reader.hpp"

#include <algorithm>
#include <cstring>

#include "server/errc.hpp"
#include "server/ingest/rtmp/big_endian.hpp"

namespace lookback::server::rtmp {
namespace {

constexpr std::uint32_t control_chunk_stream = 2;
constexpr std::uint32_t time_is_extended = 0xffffff;
constexpr std::size_t extension_bytes = 4;
constexpr std::size_t first_capacity = 32u << 10;
constexpr std::array<std::size_t, 4> field_bytes = {11, 7, 3, 0};  // by fmt (RTMP 1.0 5.3.1.2)

bool is_media(MessageType type) {
  return type == MessageType::audio || type == MessageType::video || type == MessageType::aggregate;
}

/// Stream ids are the one little-endian field of RTMP.
std::uint32_t load_stream_id(ByteSpan bytes) {
  std::uint32_t id = 0;
  for (std::size_t i = 4; i > 0; --i) id = id << 8 | std::to_integer<std::uint32_t>(bytes[i - 1]);
  return id;
}

}  // namespace

ChunkReader::ChunkReader(const Options& options)
    : max_chunk_size_(options.max_chunk_size_bytes),
      max_message_(options.max_message_bytes),
      max_command_(options.max_command_bytes),
      max_partial_(options.max_partial_bytes),
      max_chunk_streams_(options.max_chunk_streams) {}

Result<std::optional<Message>> ChunkReader::next(ByteSpan& input) {
  for (;;) {
    if (!in_chunk_) {
      const auto begun = begin_chunk(input);
      if (!begun) return begun.error();
      if (!*begun) return std::optional<Message>{};
    }
    auto& stream = streams_[current_];
    const auto part = input.first(std::min(chunk_missing_, input.size()));
    input = input.subspan(part.size());
    if (auto added = append(stream, part); !added) return added.error();
    if (chunk_missing_ > 0) return std::optional<Message>{};
    in_chunk_ = false;
    if (stream.buffer.size < stream.length) continue;

    auto message = finish(stream);
    const auto obeyed = obey(message);
    if (!obeyed) return obeyed.error();
    if (!*obeyed) return std::optional(std::move(message));
  }
}

/// Chunk stream ids 2 to 63 take one byte, 64 to 319 two, 64 to 65,599 three (RTMP 1.0 5.3.1.1).
std::optional<ChunkReader::BasicHeader> ChunkReader::basic_header() const {
  if (header_size_ == 0) return std::nullopt;
  const auto first = std::to_integer<unsigned>(header_[0]);
  const auto low = first & 0x3f;
  BasicHeader basic{.size = low == 0 ? 2u : low == 1 ? 3u : 1u, .fmt = first >> 6, .id = low};
  if (header_size_ < basic.size) return std::nullopt;
  if (basic.size >= 2) basic.id = 64 + std::to_integer<std::uint32_t>(header_[1]);
  if (basic.size == 3) basic.id += 256 * std::to_integer<std::uint32_t>(header_[2]);
  return basic;
}

/// How long the header is, as far as its bytes so far tell: longer than header_size_ while more must come.
std::size_t ChunkReader::header_length() const {
  if (header_size_ == 0) return 1;
  const auto basic = basic_header();
  if (!basic) return (std::to_integer<unsigned>(header_[0]) & 0x3f) == 0 ? 2 : 3;
  const auto length = basic->size + field_bytes[basic->fmt];
  return header_size_ >= length && extension_follows(*basic) ? length + extension_bytes : length;
}

bool ChunkReader::extension_follows(const BasicHeader& basic) const {
  if (basic.fmt < 3) return load_be(ByteSpan(header_).subspan(basic.size), 3) == time_is_extended;
  const auto* stream = find(basic.id);
  return stream != nullptr && stream->extended && repeats_extension_.value_or(true);
}

/// True: a header is whole and `current_` awaits `chunk_missing_` bytes. False: `input` is used up.
Result<bool> ChunkReader::begin_chunk(ByteSpan& input) {
  for (auto length = header_length(); header_size_ < length; length = header_length()) {
    const auto part = input.first(std::min(length - header_size_, input.size()));
    if (part.empty()) return false;
    std::ranges::copy(part, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
    header_size_ += part.size();
    input = input.subspan(part.size());
  }
  const auto basic = *basic_header();
  const auto fields = ByteSpan(header_).subspan(basic.size, field_bytes[basic.fmt]);
  const auto extension = ByteSpan(header_).first(header_size_).subspan(basic.size + fields.size());
  header_size_ = 0;

  const auto found = find_or_add(basic);
  if (!found) return found.error();
  auto& stream = **found;
  const bool continues = stream.in_message;
  if (continues && basic.fmt != 3) return Errc::bad_chunk;  // a message cannot change its header half-way
  if (!continues) {
    if (auto begun = begin_message(stream, basic.fmt, fields, extension); !begun) return begun.error();
  }
  in_chunk_ = true;
  chunk_missing_ = std::min<std::size_t>(chunk_size_, stream.length - stream.buffer.size);
  if (continues) {
    if (auto begun = continue_message(stream, extension); !begun) return begun.error();
  }
  return true;
}

Result<void> ChunkReader::begin_message(ChunkStream& stream, unsigned fmt, ByteSpan fields,
                                        ByteSpan extension) {
  if (fmt <= 2) {
    stream.extended = !extension.empty();
    stream.time_field =
        static_cast<std::uint32_t>(stream.extended ? load_be(extension, 4) : load_be(fields, 3));
  }
  if (fmt <= 1) {
    stream.length = static_cast<std::uint32_t>(load_be(fields.subspan(3), 3));
    stream.type = static_cast<MessageType>(fields[6]);
    if (stream.length > (is_media(stream.type) ? max_message_ : max_command_)) return Errc::message_too_large;
  }
  if (fmt == 0) {
    stream.stream_id = load_stream_id(fields.subspan(7));
    stream.timestamp_ms = stream.time_field;
  } else {
    stream.timestamp_ms += stream.time_field;  // fmt 3 after fmt 0 too: RTMP 1.0 5.3.1.2.4
  }
  stream.in_message = true;
  return {};
}

/// RTMP 1.0 5.3.1.3 wants the extended timestamp in fmt 3 chunks too; older encoders leave it out. Which kind
/// this is shows in the first such chunk: bytes that are not the timestamp are payload.
Result<void> ChunkReader::continue_message(ChunkStream& stream, ByteSpan extension) {
  if (extension.empty() || repeats_extension_ || chunk_missing_ < extension.size()) return {};
  repeats_extension_ = load_be(extension, 4) == stream.time_field;
  if (*repeats_extension_) return {};
  return append(stream, extension);
}

const ChunkReader::ChunkStream* ChunkReader::find(std::uint32_t id) const {
  const auto found = std::ranges::find(streams_, id, &ChunkStream::id);
  return found == streams_.end() ? nullptr : &*found;
}

/// Sets `current_`. A chunk stream begins with fmt 0; only the control stream may begin with fmt 1, as
/// librtmp does there: what fmt 1 lacks is zero for control messages anyway.
Result<ChunkReader::ChunkStream*> ChunkReader::find_or_add(const BasicHeader& basic) {
  const auto found = std::ranges::find(streams_, basic.id, &ChunkStream::id);
  current_ = static_cast<std::size_t>(found - streams_.begin());
  if (found != streams_.end()) return &*found;
  if (basic.fmt > 1 || (basic.fmt == 1 && basic.id != control_chunk_stream)) return Errc::bad_chunk;
  if (streams_.size() >= max_chunk_streams_) return Errc::too_many_chunk_streams;
  streams_.push_back({.id = basic.id, .buffer = {}});
  return &streams_.back();
}

/// Adds payload bytes of the chunk that is being read.
Result<void> ChunkReader::append(ChunkStream& stream, ByteSpan bytes) {
  if (bytes.empty()) return {};
  auto& buffer = stream.buffer;
  if (auto grown = grow(buffer, buffer.size + bytes.size(), stream.length); !grown) return grown.error();
  std::memcpy(buffer.data.get() + buffer.size, bytes.data(), bytes.size());
  buffer.size += bytes.size();
  chunk_missing_ -= bytes.size();
  return {};
}

/// Ends with capacity == length for a whole message, so that kept payloads waste nothing.
Result<void> ChunkReader::grow(Buffer& buffer, std::size_t wanted, std::size_t length) {
  if (wanted <= buffer.capacity) return {};
  const auto capacity = std::min(length, std::max({wanted, first_capacity, buffer.capacity * 2}));
  if (partial_bytes_ - buffer.capacity + capacity > max_partial_) return Errc::message_too_large;
  auto data = arena_.take(capacity);
  if (buffer.size > 0) std::memcpy(data.get(), buffer.data.get(), buffer.size);
  partial_bytes_ = partial_bytes_ - buffer.capacity + capacity;
  buffer.data = std::move(data);
  buffer.capacity = capacity;
  return {};
}

void ChunkReader::drop_partial(ChunkStream& stream) {
  partial_bytes_ -= stream.buffer.capacity;
  stream.buffer = {};
  stream.in_message = false;
}

Message ChunkReader::finish(ChunkStream& stream) {
  const ByteSpan bytes(stream.buffer.data.get(), stream.buffer.size);
  Message message{.type = stream.type,
                  .stream_id = stream.stream_id,
                  .timestamp_ms = stream.timestamp_ms,
                  .payload = {std::move(stream.buffer.data), bytes}};
  drop_partial(stream);
  return message;
}

/// Acts on messages to the chunk layer itself (RTMP 1.0 5.4.1, 5.4.2). False: `message` is for others.
Result<bool> ChunkReader::obey(const Message& message) {
  if (message.type != MessageType::set_chunk_size && message.type != MessageType::abort) return false;
  if (message.payload.size() < 4) return Errc::bad_chunk;
  const auto value = static_cast<std::uint32_t>(load_be(message.payload.bytes, 4));
  if (message.type == MessageType::set_chunk_size) {
    if (value == 0 || value > max_chunk_size_) return Errc::bad_chunk;  // the top bit must be zero as well
    chunk_size_ = value;
    return true;
  }
  const auto stream = std::ranges::find(streams_, value, &ChunkStream::id);
  if (stream != streams_.end()) drop_partial(*stream);
  return true;
}

}  // namespace lookback::server::rtmp
