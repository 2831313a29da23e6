#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "server/live/stream_status.hpp"
#include "server/pictures/sheet_maker.hpp"

namespace lookback::server::pictures {

/// Ascending.
std::vector<std::uint32_t> widths_of(const Options& options);

/// The `thumbs` process: makes each tile of a live stream when its picture is there, and each sheet when it
/// is full, so that they are there before somebody asks, and outlive a short window in their sheet. Belongs
/// to one thread at a time.
class SheetKeeper {
 public:
  SheetKeeper(SheetMaker& maker, store::Store& store, std::vector<std::uint32_t> widths)
      : maker_(maker), store_(store), widths_(std::move(widths)) {}

  /// One look at all streams; once a second. Blocking.
  void look(const std::vector<StreamStatus>& statuses, std::int64_t now_us);

 private:
  struct Stream {
    std::uint32_t interval_ms = 0;
    std::uint64_t tile = 0;   ///< the newest one with a picture
    std::uint64_t sheet = 0;  ///< sheets from here on are not finished
    unsigned attempts = 0;    ///< to finish it; the pause before the next one doubles
    std::int64_t next_us = 0;
    bool seen = false;
  };
  void look(const StreamStatus& status, Stream& stream, std::int64_t now_us);
  static constexpr unsigned max_attempts = 6;  ///< then it is left to who asks for it
  bool finish_sheet(const StreamStatus& status, const Stream& stream);

  SheetMaker& maker_;
  store::Store& store_;
  const std::vector<std::uint32_t> widths_;
  std::map<store::StreamId, Stream> streams_;
};

}  // namespace lookback::server::pictures
