#pragma once
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "server/pictures/picture_cache.hpp"
#include "server/pictures/sheet_plan.hpp"

namespace lookback::server::pictures {

/// Makes sprite sheets out of stored key pictures: its tiles first, as small pictures of their own, some in
/// one job, then the sheet of them. Tiles and unfinished sheets are kept in the picture cache, full sheets in
/// the store. Each is made once for all who ask at the same time. Thread-safe; everything that it is given
/// outlives it, and the workers stop before it goes.
class SheetMaker {
 public:
  struct Wanted {
    std::string stream;  ///< "live/news"
    store::StreamId id = 0;
    SheetName name;
  };
  using Outcome = Result<Slice>;
  /// Called once, on any thread; must not block.
  using Done = std::function<void(Outcome)>;

  static constexpr std::size_t tiles_per_job = 10;  ///< so that a job stays far below pictures.max_cpu
  static constexpr std::size_t max_sheets = 64;     ///< that are made at the same time
  static constexpr std::uint8_t tile_quality = 92, sheet_quality = 84;

  SheetMaker(MediaAccess media, PictureCache& cache, Workers& workers, boost::asio::thread_pool& blocking)
      : media_(std::move(media)), cache_(cache), workers_(workers), blocking_(blocking) {}

  /// The sheet's bytes: from memory, from the store, or made now. Blocking but for the making. Errors:
  /// not_found (nothing is stored of its time; an unfinished one has become another), damaged, those of jobs
  /// and the store; Errc::skipped: too much to do.
  void get(Wanted wanted, Done done);
  /// Makes the tiles of one key picture in several widths, for the sheet that they will be in. Errors of the
  /// job are counted by the workers; the sheet's own making tries again.
  void prepare_tiles(const std::string& stream, const std::string& generation, const KeyPictures& pictures,
                     const std::vector<std::uint32_t>& widths);
  /// The job of a tile, and where it is kept.
  Result<Job> tile_job(const std::string& stream, const std::string& generation, const KeyPictures& pictures,
                       const std::vector<std::uint32_t>& widths) const;
  static std::string tile_key(const std::string& stream, const std::string& generation, std::uint32_t width,
                              std::uint64_t msn);

 private:
  struct Making;
  using MakingPtr = std::shared_ptr<Making>;

  void step(const MakingPtr& making);
  Result<Job> next_job(Making& making);
  Result<void> plan(Making& making);
  Result<Job> tiles_job(Making& making);
  Result<Job> sheet_job(Making& making) const;
  void take(const MakingPtr& making, Result<Reply> reply);
  void take_tiles(Making& making, const Result<Reply>& reply);
  void keep(const MakingPtr& making, Slice bytes);
  void finish(const MakingPtr& making, Outcome outcome);

  const MediaAccess media_;
  PictureCache& cache_;
  Workers& workers_;
  boost::asio::thread_pool& blocking_;
  std::mutex mutex_;  ///< guards what follows
  std::map<std::string, std::vector<Done>> waiting_;
  std::set<std::string> preparing_;
};

}  // namespace lookback::server::pictures
