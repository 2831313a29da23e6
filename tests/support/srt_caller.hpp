#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace lookback::support {

/// An SRT caller on plain libsrt, in live mode. Belongs to one thread.
class SrtCaller {
 public:
  struct Options {
    std::string stream_id = {};
    std::string passphrase = {};  ///< empty: unencrypted
    int key_bytes = 16;           ///< of AES: 16 or 32
    int latency_ms = 0;           ///< for repeating what is lost; 0: libsrt's default
  };
  /// Calls 127.0.0.1 and waits for the answer, at most 3 s.
  SrtCaller(std::uint16_t port, const Options& options);
  ~SrtCaller();
  SrtCaller(const SrtCaller&) = delete;
  SrtCaller& operator=(const SrtCaller&) = delete;

  bool connected() const { return reject_code_ == 0; }
  /// What a refused caller sees: 1400 and above the server's reason, below 1000 libsrt's own.
  int reject_code() const { return reject_code_; }
  /// Sends in datagrams of 1,316 bytes, at `pace_mbps`. False: the connection is gone.
  bool send(std::string_view bytes, double pace_mbps = 20);
  /// Waits until the server has closed the connection.
  bool sees_close(int limit_ms = 20'000);
  void close();

 private:
  int socket_;
  int reject_code_ = 0;
};

}  // namespace lookback::support
