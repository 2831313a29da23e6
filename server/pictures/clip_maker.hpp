#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/pictures/clip_source.hpp"
#include "server/pictures/picture_cache.hpp"

namespace lookback::server::pictures {

/// Clips by moment and format: what is asked for of one moment before its job begins comes out of one decode.
/// They are kept in the cache of pictures. Thread-safe; what it refers to outlives it.
class ClipMaker {
 public:
  using Outcome = PictureCache::Outcome;

  ClipMaker(PictureCache& cache, Workers& workers, MediaAccess media)
      : cache_(cache), workers_(workers), media_(std::move(media)) {}

  const Options& options() const { return workers_.options(); }

  /// The clip, from memory or by a job. Errors: those of the job.
  boost::asio::awaitable<Outcome> get(ClipMoment moment, ImageFormat format);
  /// Has it made, if it is not there; `done` is called when it is, or has failed: at once, or on a worker's
  /// thread. Must not block.
  void make_ahead(const ClipMoment& moment, ImageFormat format, std::function<void()> done);

 private:
  /// What is asked for of a moment.
  struct Order {
    ClipMoment moment;
    std::string name;  ///< of the moment, in `waiting_`
    std::vector<ImageFormat> formats;
    std::vector<std::string> keys;              ///< of each format
    std::vector<std::function<void()>> notify;  ///< when all is done
  };
  using OrderPtr = std::shared_ptr<Order>;

  static std::string key_of(const ClipMoment& moment, ImageFormat format);
  void begin(const ClipMoment& moment, ImageFormat format, std::function<void()> done);
  /// From now on nothing is added to it.
  void close(const Order& order);
  void finish(const Order& order, Result<Reply> reply);

  PictureCache& cache_;
  Workers& workers_;
  const MediaAccess media_;
  std::mutex mutex_;  ///< guards what follows, and the orders in it
  std::unordered_map<std::string, OrderPtr> waiting_;
};

}  // namespace lookback::server::pictures
