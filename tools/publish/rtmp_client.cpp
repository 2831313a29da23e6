#include "tools/publish/rtmp_client.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "server/ingest/rtmp/big_endian.hpp"

namespace lookback::publish {
namespace {

namespace amf0 = server::rtmp::amf0;
using server::rtmp::Message;
using server::rtmp::MessageType;
using server::rtmp::put_be;

constexpr std::size_t handshake_bytes = 1'536;
constexpr std::uint32_t chunk_bytes = 65'536;
constexpr std::uint32_t media_stream = 1;
constexpr unsigned control_chunks = 2, command_chunks = 3, audio_chunks = 4, data_chunks = 5,
                   video_chunks = 6;
constexpr std::uint32_t extended_time = 0xFFFFFF;
constexpr timeval patience{15, 0};
constexpr unsigned multitrack_flag = 2, nanoseconds_flag = 8;  // CapsExMask

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }
[[noreturn]] void fail_system(const std::string& what) { fail(what + ": " + std::strerror(errno)); }

amf0::Value text(std::string_view value) { return {std::string(value)}; }

}  // namespace

std::optional<Address> parse_address(std::string_view url) {
  constexpr std::string_view scheme = "rtmp://";
  if (!url.starts_with(scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  const auto host_end = url.find('/');
  if (host_end == url.npos) return std::nullopt;
  auto host = url.substr(0, host_end);
  const auto path = url.substr(host_end + 1);
  const auto key_at = path.substr(0, path.find('?')).rfind('/');
  if (key_at == path.npos || key_at == 0) return std::nullopt;
  Address address;
  address.port = "1935";
  const auto colon = host.rfind(':');
  if (colon != host.npos && host.find(']', colon) == host.npos) {
    address.port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host;
  address.app = path.substr(0, key_at);
  address.key = path.substr(key_at + 1);
  if (address.host.empty() || address.port.empty() || address.key.empty()) return std::nullopt;
  return address;
}

RtmpClient::RtmpClient(const Address& address, const std::vector<std::string_view>& codes, bool multitrack)
    : buffer_(64u << 10) {
  chunks_ = std::make_unique<server::rtmp::ChunkReader>(server::rtmp::Options{});
  try {
    open(address);
    shake_hands();
    connect(address, codes, multitrack);
    publish(address.key);
  } catch (...) {
    if (socket_ >= 0) close(socket_);
    throw;
  }
}

RtmpClient::~RtmpClient() { close(socket_); }

void RtmpClient::open(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found);
  if (code != 0) fail(address.host + ": " + gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const auto* at = found; at != nullptr; at = at->ai_next) {
    socket_ = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (socket_ < 0) continue;
    if (::connect(socket_, at->ai_addr, at->ai_addrlen) == 0) break;
    const int error = errno;
    close(std::exchange(socket_, -1));
    errno = error;
  }
  if (socket_ < 0) fail_system(address.host + ":" + address.port);
  const int yes = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/// The simple handshake (RTMP 1.0 5.2).
void RtmpClient::shake_hands() {
  std::vector<std::byte> hello(1 + handshake_bytes);
  hello[0] = std::byte{3};
  write(hello);
  std::vector<std::byte> answer(1 + 2 * handshake_bytes);
  read_exactly(answer.data(), answer.size());
  if (answer[0] != std::byte{3}) fail("the server does not speak RTMP");
  write(ByteSpan(answer).subspan(1, handshake_bytes));
}

void RtmpClient::connect(const Address& address, const std::vector<std::string_view>& codes,
                         bool multitrack) {
  std::vector<std::byte> size;
  put_be(chunk_bytes, size);
  message(control_chunks, 0, static_cast<unsigned>(MessageType::set_chunk_size), 0, size);

  amf0::StrictArray list;
  for (const auto code : codes) list.items.push_back(text(code));
  amf0::Object arguments;
  arguments.properties = {
      {"app", text(address.app)},
      {"type", text("nonprivate")},
      {"flashVer", text("FMLE/3.0 (compatible; lookback_publish)")},
      {"tcUrl", text(address.tc_url())},
      {"fourCcList", {std::move(list)}},
      {"capsEx", {static_cast<double>(4 | nanoseconds_flag | (multitrack ? multitrack_flag : 0))}}};
  command(0, {text("connect"), {1.0}, {std::move(arguments)}});
  const auto answer = wait_for("_result");
  if (answer.size() > 2) look_at_capabilities(answer[2], codes, multitrack);
}

/// Servers from before Enhanced RTMP say nothing of it: they may take it all the same.
void RtmpClient::look_at_capabilities(const amf0::Value& properties,
                                      const std::vector<std::string_view>& codes, bool multitrack) {
  const auto* caps = properties.find("capsEx");
  if (caps != nullptr && caps->number() != nullptr && *caps->number() >= 0 && *caps->number() < 65'536) {
    const auto can = static_cast<unsigned>(*caps->number());
    if (multitrack && (can & multitrack_flag) == 0) fail("the server does not take several tracks of a kind");
    takes_nanoseconds_ = (static_cast<unsigned>(*caps->number()) & nanoseconds_flag) != 0;
  }
  const auto* list = properties.find("fourCcList");
  const auto* taken = list == nullptr ? nullptr : std::get_if<amf0::StrictArray>(&list->data);
  if (taken == nullptr) return;
  for (const auto code : codes) {
    const bool known = std::ranges::any_of(taken->items, [&](const amf0::Value& item) {
      return item.string() != nullptr && (*item.string() == code || *item.string() == "*");
    });
    if (!known) fail("the server does not take " + std::string(code));
  }
}

void RtmpClient::publish(const std::string& key) {
  command(0, {text("releaseStream"), {2.0}, {amf0::Null{}}, text(key)});
  command(0, {text("FCPublish"), {3.0}, {amf0::Null{}}, text(key)});
  command(0, {text("createStream"), {4.0}, {amf0::Null{}}});
  for (;;) {
    const auto answer = wait_for("_result");
    if (answer.size() > 1 && answer[1].number() != nullptr && *answer[1].number() == 4) break;
  }
  command(media_stream, {text("publish"), {5.0}, {amf0::Null{}}, text(key), text("live")});
  judge_status(wait_for("onStatus"));
}

void RtmpClient::send(Kind kind, std::uint32_t time_ms, ByteSpan body) {
  hear();
  const auto chunks = kind == Kind::video ? video_chunks : audio_chunks;
  message(chunks, time_ms, static_cast<unsigned>(kind), media_stream, body);
}

void RtmpClient::send_metadata(const amf0::EcmaArray& properties) {
  std::vector<std::byte> body;
  for (const auto& value : {text("@setDataFrame"), text("onMetaData"), amf0::Value{properties}}) {
    amf0::encode(value, body);
  }
  message(data_chunks, 0, static_cast<unsigned>(MessageType::data_amf0), media_stream, body);
}

void RtmpClient::finish() {
  command(0, {text("deleteStream"), {0.0}, {amf0::Null{}}, {static_cast<double>(media_stream)}});
  shutdown(socket_, SHUT_WR);
  while (recv(socket_, buffer_.data(), buffer_.size(), 0) > 0) {
  }
}

/// The next command of that name; an error of the server's instead is thrown.
std::vector<amf0::Value> RtmpClient::wait_for(std::string_view name) {
  for (;;) {
    while (const auto next = receive()) {
      if (next->type != MessageType::command_amf0) continue;
      auto values = amf0::decode(next->payload.bytes, {});
      if (!values || values->empty() || (*values)[0].string() == nullptr) continue;
      const auto& said = *(*values)[0].string();
      if (said == name) return std::move(*values);
      if (said == "_error" || said == "onStatus") judge_status(*values);
    }
    const auto size = recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (size == 0) fail("the server closed the connection");
    if (size < 0) fail_system("no answer from the server");
    unread_ = ByteSpan(buffer_).first(static_cast<std::size_t>(size));
  }
}

std::optional<Message> RtmpClient::receive() {
  auto next = chunks_->next(unread_);
  if (!next) fail("the server's answer: " + next.error().message());
  return std::move(*next);
}

/// Takes what has come, without waiting.
void RtmpClient::hear() {
  for (pollfd waiting{socket_, POLLIN, 0}; poll(&waiting, 1, 0) > 0;) {
    const auto size = recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (size <= 0) fail("the server closed the connection");
    unread_ = ByteSpan(buffer_).first(static_cast<std::size_t>(size));
    while (const auto next = receive()) {
      if (next->type != MessageType::command_amf0) continue;
      const auto values = amf0::decode(next->payload.bytes, {});
      if (values) judge_status(*values);
    }
  }
}

/// "onStatus" or "_error": transaction, null, information. Throws its description when it is an error.
void RtmpClient::judge_status(const std::vector<amf0::Value>& status) const {
  if (status.size() < 4) return;
  const auto* level = status[3].find("level");
  const auto* description = status[3].find("description");
  if (level == nullptr || level->string() == nullptr || *level->string() != "error") return;
  fail("the server says: " + (description != nullptr && description->string() != nullptr
                                  ? *description->string()
                                  : std::string("error")));
}

void RtmpClient::command(std::uint32_t stream, std::vector<amf0::Value> values) {
  std::vector<std::byte> body;
  for (const auto& value : values) amf0::encode(value, body);
  message(command_chunks, 0, static_cast<unsigned>(MessageType::command_amf0), stream, body);
}

/// With a full header (RTMP 1.0 5.3.1.2.1), in chunks of `chunk_bytes` but for the one that announces them.
void RtmpClient::message(unsigned chunk_stream, std::uint32_t time_ms, unsigned type, std::uint32_t stream,
                         ByteSpan body) {
  std::vector<std::byte> out;
  out.reserve(body.size() + 32);
  const bool extended = time_ms >= extended_time;
  put_be(chunk_stream, 1, out);
  put_be(extended ? extended_time : time_ms, 3, out);
  put_be(body.size(), 3, out);
  put_be(type, 1, out);
  for (unsigned shift = 0; shift < 32; shift += 8) put_be(stream >> shift & 0xFF, 1, out);
  if (extended) put_be(time_ms, out);
  for (;;) {
    const auto piece = body.first(std::min<std::size_t>(chunk_bytes, body.size()));
    out.insert(out.end(), piece.begin(), piece.end());
    body = body.subspan(piece.size());
    if (body.empty()) break;
    put_be(0xC0u | chunk_stream, 1, out);
    if (extended) put_be(time_ms, out);
  }
  write(out);
}

void RtmpClient::write(ByteSpan bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) fail_system("sending");
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

void RtmpClient::read_exactly(std::byte* data, std::size_t size) {
  while (size > 0) {
    const auto got = recv(socket_, data, size, 0);
    if (got == 0) fail("the server closed the connection");
    if (got < 0) fail_system("reading");
    data += got;
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace lookback::publish
