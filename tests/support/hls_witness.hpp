#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/hls_rules.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/playlist.hpp"

/// A player without a decoder: it follows every rendition of a live stream by blocking reloads, holds a
/// request for each hinted part, fetches everything the moment it is listed, and remembers all it was told.
namespace lookback::support {

/// One answer to a playlist request.
struct Snapshot {
  std::string url;
  Response response;
  MediaPlaylist playlist;
};

/// One fetched init, segment or part.
struct Resource {
  std::string url;
  Clock::time_point listed;  ///< when the playlist that named it had arrived
  Response response;
};

/// What was seen of one rendition.
struct RenditionLog {
  std::string url;                            ///< path of its playlist
  std::string track;                          ///< "v0": the name of the playlist without ".m3u8"
  std::vector<Snapshot> snapshots;            ///< answers with status 200, oldest first
  std::map<std::string, Resource> resources;  ///< by path: what playlists listed
  std::vector<Resource> hinted;       ///< requests for hinted parts; `listed`: when the hint had arrived
  std::vector<std::string> failures;  ///< connections that broke, and statuses other than 200

  /// Violations of all playlists and all steps between them.
  Violations violations() const;
  /// Every segment ever listed as complete, by msn, as it was listed first.
  std::map<std::uint64_t, SegmentEntry> segments() const;
  /// The parts of every segment (the longest list seen), by msn.
  std::map<std::uint64_t, std::vector<PartEntry>> parts() const;
  /// Content of a URI of this playlist; empty when it was not fetched with 200.
  const std::string& bytes(const std::string& uri) const;
};

class Witness {
 public:
  struct Options {
    bool fetch = true;  ///< media too, not only playlists
    bool hold_hints = true;
    bool endure = false;  ///< go on after broken connections and errors: the server is being killed
    std::chrono::milliseconds patience{20'000};  ///< for the first multivariant playlist, and for each answer
  };

  /// `stream`: "live/news". Waits until its multivariant playlist is there, then follows all its media
  /// playlists. Throws std::runtime_error when it does not come.
  Witness(std::uint16_t port, const std::string& stream, Options options);
  Witness(std::uint16_t port, const std::string& stream) : Witness(port, stream, Options{}) {}
  ~Witness();
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  /// Stops following; the logs are complete afterwards and no longer change.
  void stop();
  /// Waits until each rendition lists `count` more complete segments than now, or `limit` is over.
  bool wait_for_segments(std::size_t count, std::chrono::milliseconds limit);
  /// Waits until each rendition was seen to complete `count` segments, or `limit` is over.
  bool wait_until_followed(std::size_t count, std::chrono::milliseconds limit);
  /// Number of the newest complete segment that all renditions list; empty: none yet.
  std::optional<std::uint64_t> last_msn() const;

  const std::string& master_url() const { return master_url_; }
  const Response& master() const { return master_; }
  const MultivariantPlaylist& multivariant() const { return multivariant_; }
  /// After `stop`.
  const std::vector<RenditionLog>& renditions() const;
  const RenditionLog* rendition(const std::string& track) const;

 private:
  struct Follower;
  void wait_for_master();

  std::uint16_t port_;
  Options options_;
  std::string master_url_;
  Response master_;
  MultivariantPlaylist multivariant_;
  std::vector<std::unique_ptr<Follower>> followers_;
  std::vector<RenditionLog> logs_;
};

}  // namespace lookback::support
