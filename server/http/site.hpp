#pragma once
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/archive/media_finder.hpp"
#include "server/archive/ranges.hpp"
#include "server/http/assets.hpp"
#include "server/live/hub.hpp"
#include "server/live/stream_settings.hpp"
#include "store/store.hpp"

namespace lookback::server::api {
class Access;
class Api;
}  // namespace lookback::server::api
namespace lookback::server {
class Mp4Cache;
class Recordings;
class RecordingViews;
}  // namespace lookback::server
namespace lookback::server::pictures {
class PictureCache;
class SheetMaker;
}  // namespace lookback::server::pictures

namespace lookback::server::http {

/// What the server shows. Everything named here outlives the run of the network threads.
struct Site {
  Hub& hub;
  store::Store& store;
  boost::asio::thread_pool& blocking;  ///< for store calls and reads that may wait for a disk
  std::span<const Asset> assets;
  std::function<bool()> ready;  ///< for /readyz; thread-safe, does not block
  /// A stored segment and an init, by name; `known`: the segment's record where a playlist has it. What it
  /// gives is sure to be what was written. Called on `blocking`; thread-safe. Not set: only what is listed is
  /// served.
  std::function<Result<store::SegmentRecord>(const MediaName& name,
                                             const std::optional<store::SegmentRecord>& known)>
      find_segment = {};
  std::function<Result<store::InitRecord>(const MediaName& name)> find_init = {};
  /// The wall clock by which relative times are read: Unix us. Thread-safe. Not set: the system's.
  std::function<std::int64_t()> now_us = {};
  /// The recordings of a stream, for its `ranges.json`. Thread-safe, does not block. Not set: there are none.
  std::function<std::vector<archive::RecordedRange>(const std::string& stream)> recordings_of = {};
  Recordings* recordings = nullptr;  ///< both set, or no /vod
  RecordingViews* recording_views = nullptr;
  const api::Access* access = nullptr;  ///< both set, or no control API
  const api::Api* api = nullptr;
  std::shared_ptr<Mp4Cache> mp4 = {};            ///< not set: no MP4s are made
  pictures::PictureCache* pictures = nullptr;    ///< not set: no pictures are made
  pictures::SheetMaker* sheets = nullptr;        ///< not set: no sheets, storyboards and image playlists
  std::vector<std::uint32_t> sheet_widths = {};  ///< of a cell, pixels
  /// What a stream's `thumbs` process is set to. Thread-safe, does not block. Set with `sheets`.
  std::function<ThumbsSettings(std::string_view stream)> thumbs_of = {};
};

}  // namespace lookback::server::http
