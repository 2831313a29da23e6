#pragma once
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/ingest/publish_target.hpp"
#include "server/ingest/rtmp/amf0.hpp"
#include "server/ingest/rtmp/refusal.hpp"
#include "server/ingest/rtmp/replies.hpp"
#include "store/base/result.hpp"

namespace lookback::server::rtmp {

/// What the owner of a dialogue must do next.
enum class Step {
  more,     ///< feed on
  publish,  ///< the peer asks to publish `target()`: answer with `accept_publish` or `refuse_publish`
  ended,    ///< the peer is done, or nothing can come of it; `end_reason()` says why
};

/// The NetConnection and NetStream commands of one connection (RTMP 1.0 7.2), for a server that takes streams
/// in and plays none: connect, createStream, publish, and what encoders send around them. Answers go to
/// `replies`. Belongs to its connection's thread.
class Commands {
 public:
  Commands(amf0::Limits limits, Replies& replies) : limits_(limits), replies_(replies) {}

  /// Takes one command message that came on `stream_id`. On an error the connection must end; where the peer
  /// can understand it, the answer is in `replies`. Errors: bad_amf, amf_too_deep, bad_command.
  Result<Step> handle(ByteSpan message, std::uint32_t stream_id);

  void accept_publish();
  void refuse_publish(const Refusal& why);
  /// Tells the publisher that its stream ends. No effect when it does not publish.
  void end_publish(const Refusal& why);
  /// Asks a peer that can do so (capsEx) to connect again: before the server stops. No effect on others.
  void request_reconnect();

  bool publishing() const { return state_ == State::publishing; }
  const PublishTarget& target() const { return target_; }
  /// What the peer calls itself (connect's flashVer), fit for logs.
  const std::string& encoder() const { return encoder_; }
  const std::string& end_reason() const { return end_reason_; }

 private:
  enum class State { idle, connected, asked, publishing };

  /// A command's transaction and what follows it; missing arguments read as undefined.
  struct Call {
    double transaction = 0;
    std::uint32_t stream_id = 0;
    const std::vector<amf0::Value>& values;
    const amf0::Value& argument(std::size_t index) const;
  };

  Result<Step> connect(const Call& call);
  Result<Step> create_stream(const Call& call);
  Result<Step> publish(const Call& call);
  Result<Step> play(const Call& call);
  Result<Step> delete_stream(const Call& call);
  Result<Step> unpublish();
  Result<Step> unknown(const Call& call, std::string_view name);
  Result<Step> plain_result(const Call& call, amf0::Value information);

  static constexpr std::size_t max_streams = 16;

  const amf0::Limits limits_;
  Replies& replies_;
  State state_ = State::idle;
  std::string app_, tc_url_, encoder_;
  bool can_reconnect_ = false;            ///< the peer takes a ReconnectRequest
  std::bitset<max_streams + 1> streams_;  ///< message stream ids in use; 0 is the connection itself
  std::uint32_t publish_stream_ = 0;
  PublishTarget target_;
  std::string end_reason_;
};

}  // namespace lookback::server::rtmp
