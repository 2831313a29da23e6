#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/ingest/event.hpp"
#include "server/ingest/ts/counts.hpp"
#include "server/ingest/ts/pes.hpp"
#include "server/ingest/ts/psi.hpp"

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
  /// What it holds, for people, when that has turned out to be nothing that can be carried; else empty.
  virtual std::string refusal() const { return {}; }
};

/// The class for what a PMT names. Null: nothing that is packaged. `counts` must outlive it.
std::unique_ptr<ElementaryStream> make_elementary_stream(const StreamInfo& info, Counts& counts);

}  // namespace lookback::server::ts
