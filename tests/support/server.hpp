#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace lookback::support {

/// A `lookback run` of its own on free ports of 127.0.0.1, with a data folder that lives as long as this
/// object: stopped, killed and started again at will. Belongs to one thread; ends the process with itself.
class Server {
 public:
  struct Options {
    std::string segment = "2s", part = "334ms", grace = "60s", replay = "4h";
    std::string more = {};   ///< further lines of TOML, of [defaults] first
    std::string store = {};  ///< further lines of [store]
    /// Added to its environment; called with the folder of this object before the first start.
    std::function<std::vector<std::pair<std::string, std::string>>(const std::filesystem::path& folder)>
        environment = {};
  };

  Server() : Server(Options{}) {}
  /// Starts it. Throws std::runtime_error with the server's own words when it does not get ready within 10 s.
  explicit Server(Options options);
  /// Says on stderr when the server had ended by itself, with its last words.
  ~Server();

  std::uint16_t http_port() const { return http_port_; }
  std::uint16_t rtmp_port() const { return rtmp_port_; }
  std::uint16_t srt_port() const { return srt_port_; }
  /// "rtmp://127.0.0.1:PORT/" + stream
  std::string rtmp_url(const std::string& stream) const;
  /// "srt://127.0.0.1:PORT?streamid=" + stream_id + further
  std::string srt_url(const std::string& stream_id, const std::string& further = {}) const;
  /// "http://127.0.0.1:PORT" + target
  std::string http_url(const std::string& target) const;
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path config() const { return folder_.path() / "lookback.toml"; }

  /// Starts it again after `stop` or `kill`, on the same store and the same ports.
  void start();
  /// SIGTERM; the exit code, or empty when it does not end within `limit` (it is then killed).
  std::optional<int> stop(std::chrono::milliseconds limit = std::chrono::seconds(20));
  /// SIGKILL, at once.
  void kill();
  Process& process() { return *process_; }
  /// How long the last start took until `ready`.
  std::chrono::milliseconds started_in() const { return started_in_; }

  /// The program under test: the environment's LOOKBACK_BINARY, or the one of this build.
  static std::filesystem::path binary();

 private:
  void write_config() const;

  Options options_;
  TempDir folder_;
  std::vector<std::pair<std::string, std::string>> environment_;
  std::uint16_t http_port_ = 0, rtmp_port_ = 0, srt_port_ = 0;
  std::chrono::milliseconds started_in_{};
  bool ended_ = false;  ///< by us
  std::unique_ptr<Process> process_;
};

}  // namespace lookback::support
