#include "server/ingest/rtmp/replies.hpp"

#include <algorithm>
#include <string>

#include "server/ingest/rtmp/big_endian.hpp"

namespace lookback::server::rtmp {
namespace {

constexpr std::uint32_t control_chunk_stream = 2;  // RTMP 1.0 5.4
constexpr std::uint32_t command_chunk_stream = 3;
constexpr std::byte fmt_3{0xc0};

enum UserControl : std::uint16_t { stream_begin_event = 0, ping_response_event = 7 };  // RTMP 1.0 7.1.7

std::vector<std::byte> number_body(std::uint32_t value) {
  std::vector<std::byte> body;
  put_be(value, body);
  return body;
}

amf0::Value text(std::string_view value) { return {std::string(value)}; }

}  // namespace

amf0::Value information(std::string_view level, std::string_view code, std::string_view description) {
  amf0::Object object;
  object.properties.push_back({"level", text(level)});
  object.properties.push_back({"code", text(code)});
  object.properties.push_back({"description", text(description)});
  return {std::move(object)};
}

void Replies::set_chunk_size(std::uint32_t bytes) {
  control(MessageType::set_chunk_size, number_body(bytes));
  chunk_size_ = bytes;
}

void Replies::acknowledge(std::uint32_t received_bytes) {
  control(MessageType::acknowledgement, number_body(received_bytes));
}

void Replies::window_ack_size(std::uint32_t bytes) {
  control(MessageType::window_ack_size, number_body(bytes));
}

void Replies::set_peer_bandwidth(std::uint32_t bytes) {
  constexpr std::byte dynamic_limit{2};
  auto body = number_body(bytes);
  body.push_back(dynamic_limit);
  control(MessageType::set_peer_bandwidth, body);
}

void Replies::stream_begin(std::uint32_t stream_id) { user_control(stream_begin_event, stream_id); }

void Replies::ping_response(std::uint32_t time) { user_control(ping_response_event, time); }

void Replies::result(double transaction, amf0::Value properties, amf0::Value information) {
  command(0, "_result", transaction, properties, information);
}

void Replies::error(double transaction, std::string_view code, std::string_view description) {
  command(0, "_error", transaction, {amf0::Null{}}, information("error", code, description));
}

void Replies::status(std::uint32_t stream_id, std::string_view level, std::string_view code,
                     std::string_view description) {
  command(stream_id, "onStatus", 0, {amf0::Null{}}, information(level, code, description));
}

void Replies::control(MessageType type, ByteSpan body) { message(control_chunk_stream, type, 0, body); }

void Replies::user_control(std::uint16_t event, std::uint32_t value) {
  std::vector<std::byte> body;
  put_be(event, body);
  put_be(value, body);
  control(MessageType::user_control, body);
}

void Replies::command(std::uint32_t stream_id, std::string_view name, double transaction,
                      const amf0::Value& first, const amf0::Value& second) {
  std::vector<std::byte> body;
  amf0::encode(text(name), body);
  amf0::encode({transaction}, body);
  amf0::encode(first, body);
  amf0::encode(second, body);
  message(command_chunk_stream, MessageType::command_amf0, stream_id, body);
}

void Replies::message(std::uint32_t chunk_stream, MessageType type, std::uint32_t stream_id, ByteSpan body) {
  bytes_.push_back(static_cast<std::byte>(chunk_stream));  // fmt 0
  put_be(0, 3, bytes_);                                    // timestamp
  put_be(body.size(), 3, bytes_);
  bytes_.push_back(static_cast<std::byte>(type));
  for (unsigned shift = 0; shift < 32; shift += 8)
    bytes_.push_back(static_cast<std::byte>(stream_id >> shift));

  while (true) {
    const auto part = body.first(std::min<std::size_t>(chunk_size_, body.size()));
    bytes_.insert(bytes_.end(), part.begin(), part.end());
    body = body.subspan(part.size());
    if (body.empty()) return;
    bytes_.push_back(fmt_3 | static_cast<std::byte>(chunk_stream));
  }
}

}  // namespace lookback::server::rtmp
