#pragma once
#include <memory>
#include <string>
#include <vector>

#include "tests/support/hls_rules.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"

/// One recording of live streams that many tests look at: made once per process, as it takes half a minute.
namespace lookback::support {

/// A stream of the session: its publisher keeps running, its witness has stopped.
struct LiveStream {
  std::string name;  ///< "live/p24"
  std::filesystem::path clip;
  bool closed_gop = true;  ///< the clip has a sync sample every 1 to 2.002 s
  Server* server = nullptr;
  std::unique_ptr<Publisher> publisher;
  std::unique_ptr<Witness> witness;  ///< null when the stream never appeared; `problem` says why
  std::string problem;
  Response final_master;  ///< the multivariant playlist at the end of the recording

  std::string url(const std::string& leaf) const { return "/" + name + "/" + leaf; }
  const RenditionLog& rendition(const std::string& track) const;
};

class LiveSession {
 public:
  /// Records at the first call: 12 segments of 2 s of every stream with a closed GOP.
  static LiveSession& instance();

  const std::vector<LiveStream>& streams() const { return streams_; }
  /// Throws std::runtime_error when it is not there or was not recorded.
  const LiveStream& stream(const std::string& name) const;
  /// The stream that tests use for requests: 720p24, 2 s closed GOP, AAC 48 kHz.
  const LiveStream& main() const { return stream("live/p24"); }
  Server& server() { return server_; }

  /// What breaks rules in any playlist, update, pair of renditions or media of any stream.
  const Violations& violations() const { return violations_; }
  std::size_t snapshots() const;

 private:
  LiveSession();
  void add(Server& server, const std::string& name, const std::string& clip, bool closed_gop,
           std::vector<std::string> output = {"-c", "copy"});
  static void witness(LiveStream& stream);
  void record();
  void judge(const LiveStream& stream);

  Server server_;
  Server short_window_;  ///< a window of 10 s, so that segments leave it during the recording
  std::vector<LiveStream> streams_;
  Violations violations_;
};

}  // namespace lookback::support
