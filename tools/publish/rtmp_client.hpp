#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/ingest/rtmp/amf0.hpp"
#include "server/ingest/rtmp/chunk_reader.hpp"
#include "store/base/bytes.hpp"

namespace lookback::publish {

/// rtmp://HOST[:PORT]/APP/NAME: the last component, with its query, is the stream key.
struct Address {
  std::string host, port, app, key;
  std::string tc_url() const { return "rtmp://" + host + ":" + port + "/" + app; }
};
/// Empty: not such a URL.
std::optional<Address> parse_address(std::string_view url);

/// Publishes one stream over a blocking socket. What the server says while media goes out is read in between.
/// Errors are thrown as std::runtime_error with the server's own words. Belongs to its thread.
class RtmpClient {
 public:
  enum class Kind : std::uint8_t { audio = 8, video = 9 };

  /// Connects and goes through handshake, connect, createStream and publish. `codes`: the FourCCs that will
  /// be sent; a server that lists those it takes must take them.
  /// `multitrack`: several tracks of a kind will go out; a server that says what it can must be able to.
  RtmpClient(const Address& address, const std::vector<std::string_view>& codes, bool multitrack);
  ~RtmpClient();
  RtmpClient(const RtmpClient&) = delete;
  RtmpClient& operator=(const RtmpClient&) = delete;

  void send(Kind kind, std::uint32_t time_ms, ByteSpan message);
  void send_metadata(const server::rtmp::amf0::EcmaArray& properties);
  /// Ends the stream and waits for the server to close, at most a few seconds.
  void finish();

  /// The server adds nanoseconds to times (capsEx).
  bool takes_nanoseconds() const { return takes_nanoseconds_; }

 private:
  void open(const Address& address);
  void shake_hands();
  void connect(const Address& address, const std::vector<std::string_view>& codes, bool multitrack);
  void look_at_capabilities(const server::rtmp::amf0::Value& properties,
                            const std::vector<std::string_view>& codes, bool multitrack);
  void publish(const std::string& key);
  std::vector<server::rtmp::amf0::Value> wait_for(std::string_view command);
  std::optional<server::rtmp::Message> receive();
  void hear();
  void judge_status(const std::vector<server::rtmp::amf0::Value>& status) const;

  void command(std::uint32_t stream, std::vector<server::rtmp::amf0::Value> values);
  void message(unsigned chunk_stream, std::uint32_t time_ms, unsigned type, std::uint32_t stream,
               ByteSpan body);
  void write(ByteSpan bytes);
  void read_exactly(std::byte* data, std::size_t size);

  int socket_ = -1;
  std::unique_ptr<server::rtmp::ChunkReader> chunks_;
  std::vector<std::byte> buffer_;
  ByteSpan unread_;
  bool takes_nanoseconds_ = false;
};

}  // namespace lookback::publish
