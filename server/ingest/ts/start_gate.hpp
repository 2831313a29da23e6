#pragma once
#include <cstddef>
#include <deque>
#include <vector>

#include "server/ingest/event.hpp"
#include "server/ingest/ts/counts.hpp"

namespace lookback::server::ts {

/// Lets a session that joins in mid-stream begin with a key picture. Sound that comes before the picture is
/// complete, but belongs beside it, waits; a program that shows no key picture for too long begins without
/// video. Belongs to its session's thread.
class StartGate {
 public:
  explicit StartGate(Counts& counts) : counts_(counts) {}

  /// Whether the program has video that can be carried.
  void expect_video(bool expected) { expects_video_ = expected; }
  /// Passes on what may go, in order.
  void push(IngestEvent event, std::vector<IngestEvent>& out);

 private:
  void hold(packager::SourceSample sample, std::vector<IngestEvent>& out);
  void open(std::int64_t from_us, std::vector<IngestEvent>& out);

  Counts& counts_;
  bool expects_video_ = false, open_ = false;
  std::deque<packager::SourceSample> held_;
  std::size_t held_bytes_ = 0;
};

}  // namespace lookback::server::ts
