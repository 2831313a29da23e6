#pragma once
#include <cstdint>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::server::rtmp {

/// The server's side of the RTMP handshake (RTMP 1.0 5.2), in the plain form and in the digest form
/// (HMAC-SHA256, schemes 0 and 1) that Flash Media Live Encoder and others of its age insist on.
/// Belongs to its connection's thread.
class Handshake {
 public:
  /// `seed` fills the fields that the protocol wants random; nothing secret depends on it.
  explicit Handshake(std::uint64_t seed) : random_(seed) {}

  /// Takes what it needs off the front of `input` and appends S0, S1 and S2 to `answer` once C0 and C1 are
  /// there. True: C2 has come, the rest of `input` is chunks. Errors: bad_handshake (C0 is not 3: HTTP, TLS,
  /// RTMPE, noise), noticed at the first byte.
  Result<bool> feed(ByteSpan& input, std::vector<std::byte>& answer);

 private:
  enum class State { version, c1, c2, done };

  bool collect(ByteSpan& input);
  void reply(std::vector<std::byte>& answer);
  void append_random(std::size_t count, std::vector<std::byte>& out);

  State state_ = State::version;
  std::uint64_t random_;
  std::vector<std::byte> c1_;  ///< until answered
  std::size_t c2_missing_ = 0;
};

}  // namespace lookback::server::rtmp
