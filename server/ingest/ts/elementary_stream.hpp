#pragma once
#include <cstdint>
#include <vector>

#include "server/ingest/event.hpp"
#include "server/ingest/ts/pes.hpp"

namespace lookback::server::ts {

/// A PES unit with its times counted on, in 90 kHz ticks.
struct TimedUnit {
  bool timed = false;  ///< else `pts` and `dts` say nothing
  std::int64_t pts = 0, dts = 0;
  bool random_access = false;
  ByteSpan payload;  ///< valid during the call
};

/// Makes formats and samples of one PID's PES units; one class for each codec. Belongs to its session's
/// thread.
class ElementaryStream {
 public:
  virtual ~ElementaryStream() = default;
  virtual void take(const TimedUnit& unit, std::vector<IngestEvent>& out) = 0;
  /// Something between the unit before and the next is missing.
  virtual void lose() {}
};

}  // namespace lookback::server::ts
