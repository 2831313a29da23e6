#pragma once
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "packager/hls/presentation_builder.hpp"
#include "packager/hls/rendition_builder.hpp"
#include "server/archive/recordings.hpp"
#include "server/live/hub.hpp"
#include "store/store.hpp"

namespace lookback::server {

/// A recording whose segments are all in its stream's own window, as it is now (`now_us`: Unix us): EVENT
/// with the low-latency edge while it grows, VOD when it has ended. Playlists name the stream's own media.
/// Null: the window has moved on, or nothing is complete yet. Pure.
PresentationPtr view_of_window(const Recording& recording, const PresentationPtr& window,
                               std::int64_t now_us);

/// Recordings whose segments have left their stream's window, as playlists made from the index: loaded once
/// however many ask, brought up to date while they grow, the longest unused forgotten first. While one grows,
/// what the index holds stands before its stream's window, so that it keeps the low-latency edge; without a
/// window (the stream is away) it grows by whole segments. Thread-safe.
class RecordingViews {
 public:
  /// `store` outlives it. `max_bytes`: of segment entries and their texts.
  RecordingViews(store::Store& store, std::size_t max_bytes) : store_(store), max_bytes_(max_bytes) {}

  /// What is known already and still right: no I/O. Null: `load` it.
  PresentationPtr find(const Recording& recording);
  /// A growing recording as its past and `window`, which are joined without I/O. Null: what is loaded does
  /// not reach the window; `load` it.
  PresentationPtr joined(const Recording& recording, const PresentationPtr& window);
  /// Null: no complete segment yet. Blocking. Errors: the store's; not_found when the stream has no record.
  Result<PresentationPtr> load(const Recording& recording, std::int64_t now_us);

  /// What the index holds of a stream has changed: its recordings are loaded anew. Returns at once.
  void forget(store::StreamId stream);

  std::size_t bytes() const;

 private:
  struct Track {
    store::TrackRecord record;
    std::unique_ptr<packager::hls::RenditionBuilder> builder;
    std::shared_ptr<const packager::TrackFormat> format;
    std::shared_ptr<packager::hls::Inits> inits = std::make_shared<packager::hls::Inits>();
    std::shared_ptr<packager::hls::Formats> formats = std::make_shared<packager::hls::Formats>();
    std::uint64_t next_msn = 0;
    std::int64_t end_us = 0;
  };
  struct Loaded {
    std::mutex loading;  ///< one load at a time; guards what follows up to `record`
    store::StreamRecord stream;
    std::map<store::TrackId, Track> tracks;
    // Guarded by the mutex of RecordingViews:
    store::RecordingRecord record;  ///< that `presentation` shows
    PresentationPtr presentation;
    /// The latest window that was joined, and what came of it: whoever reads them keeps them, with their
    /// media.
    std::weak_ptr<const packager::hls::Presentation> window, joined;
    bool closed = false;  ///< nothing more will come
    std::chrono::steady_clock::time_point looked{};
    std::size_t bytes = 0;
    std::list<std::string>::iterator place;
  };
  using LoadedPtr = std::shared_ptr<Loaded>;

  LoadedPtr entry(const std::string& id);
  bool is_right(const Loaded& loaded, const store::RecordingRecord& record) const;
  Result<void> read(Loaded& loaded, const Recording& recording);
  Result<void> take(Loaded& loaded, const std::string& stream, store::Window::Track window);
  PresentationPtr present(Loaded& loaded, const Recording& recording, bool closed) const;
  void forget(std::map<std::string, LoadedPtr, std::less<>>::iterator entry);
  void keep(const LoadedPtr& loaded, const Recording& recording, PresentationPtr presentation, bool closed);

  store::Store& store_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::map<std::string, LoadedPtr, std::less<>> loaded_;
  std::list<std::string> used_;  ///< ids, the latest first
  std::size_t bytes_ = 0;
};

}  // namespace lookback::server
