#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packager/media/sample.hpp"
#include "server/ingest/link_stats.hpp"
#include "server/live/options.hpp"

/// How the media of a publisher does, measured from nothing but its timestamps, sizes and arrivals.
namespace lookback::server {

/// What can be wrong with a source.
enum class Ailment {
  no_video,
  no_audio,
  long_gop,
  variable_frame_rate,
  jumps,         ///< timestamps that step back or leap
  av_apart,      ///< sound and pictures of one instant come far apart
  jitter,        ///< media comes in fits and starts
  clock_offset,  ///< media is later, or earlier, than when the session began
  drift,         ///< the source's clock is faster or slower than ours
  loss,          ///< on the way here
  latency,       ///< of SRT, too short for its round trips
  unaligned,     ///< key pictures of renditions that do not coincide
};
inline constexpr std::size_t ailment_count = 12;

/// "long_gop", as the API and the log have it.
std::string_view name_of(Ailment ailment);

/// An ailment that lasts.
struct Complaint {
  Ailment ailment = Ailment::no_video;
  std::string text;           ///< a sentence with the numbers, and what to do about it
  std::int64_t since_us = 0;  ///< Unix us
  bool notice = false;        ///< nothing is wrong, but worth knowing

  bool operator==(const Complaint&) const = default;
};

/// Empty values are not known (yet). Durations in microseconds.
struct HealthReport {
  std::int64_t bits_per_second = 0;
  std::optional<double> frame_rate;
  std::optional<std::int64_t> gop_us;  ///< between the newest two sync samples, or longer since the last
  std::optional<std::int64_t> av_offset_us;  ///< how much later sound comes than pictures of the same instant
  std::optional<std::int64_t> jitter_us;     ///< between the earliest and the latest arrival, of 5 s
  std::optional<std::int64_t> clock_offset_us;  ///< how much later media comes than when the session began
  std::optional<double> drift_ppm;              ///< > 0: the source's clock is slow; over up to 10 minutes
  std::optional<double> loss;                   ///< of packets that came at first try, 0 to 1, over 10 s
  std::uint64_t jumps = 0;                      ///< in the session
  std::vector<Complaint> complaints;

  /// Whether anything is wrong.
  bool is_degraded() const {
    return std::ranges::any_of(complaints, [](const Complaint& each) { return !each.notice; });
  }
  bool operator==(const HealthReport&) const = default;
};

/// Measures one session. A few operations for each sample; bounded memory. Words do not flap: a complaint
/// comes up when its cause has lasted for three looks, and goes when it has not been seen for ten. Pure: time
/// comes in. Belongs to its stream's strand.
class IngestHealth {
 public:
  /// `now_us`: the wall clock, Unix us, that never steps; as in all that follows.
  explicit IngestHealth(std::int64_t now_us, HealthOptions options = {})
      : options_(options), start_us_(now_us) {}

  void take(const packager::SourceSample& sample, std::int64_t now_us);
  /// `starts`: segments of the session so far that begin without a key picture in one of several renditions,
  /// as they were cut where the first one has one.
  void take_unaligned(std::uint64_t starts, std::int64_t now_us);
  /// Once a second. `link`: what the protocol has measured; may be empty.
  HealthReport assess(const std::optional<LinkStats>& link, std::int64_t now_us);

 private:
  /// What came in one second.
  struct Second {
    std::int64_t number = 0;  ///< Unix s
    std::uint64_t bytes = 0;
    std::array<std::optional<std::int64_t>, 2> earliest_us, latest_us;  ///< arrival - DTS, by kind
    std::vector<std::int32_t> intervals_us;                             ///< between pictures
  };
  /// Of one kind. Of several renditions or languages one speaks for all, until it falls silent.
  struct Clock {
    std::optional<std::int64_t> last_dts_us, last_arrival_us;
    std::uint8_t speaker = 0;
  };
  struct Alarm {
    int seen = 0, unseen = 0;
    bool raised = false;
    std::int64_t since_us = 0;
    std::string text;
    bool notice = false;
  };
  struct LatePoint {
    std::int64_t at_us = 0, late_us = 0;
  };
  struct LinkPoint {
    std::int64_t at_us = 0;
    LinkStats stats;
  };

  Second& second(std::int64_t now_us);
  bool speaks(const packager::SourceSample& sample, std::int64_t now_us);
  void note_gop(std::int64_t dts_us);
  void forget_timing();
  void measure_rates(HealthReport& report) const;
  void measure_clock(HealthReport& report, std::int64_t now_us);
  void measure_link(HealthReport& report, const std::optional<LinkStats>& link, std::int64_t now_us);
  void look(Ailment ailment, bool seen, std::string text, std::int64_t now_us, bool notice = false);
  void look_at_tracks(const HealthReport& report, std::int64_t now_us);
  void look_at_timing(const HealthReport& report, std::int64_t now_us);
  bool is_variable() const;
  double drift_ppm() const;

  const HealthOptions options_;
  const std::int64_t start_us_;
  std::deque<Second> seconds_;
  std::array<Clock, 2> clocks_;
  std::optional<std::int64_t> last_sync_us_, gop_us_;  ///< DTS of the newest sync sample
  std::uint64_t jumps_ = 0;
  std::int64_t last_jump_us_ = 0;
  std::uint64_t unaligned_starts_ = 0;
  std::int64_t last_unaligned_us_ = 0;
  std::optional<std::int64_t> first_late_us_;  ///< arrival - DTS at the start
  std::deque<LatePoint> late_points_;          ///< one for each 10 s
  std::deque<LinkPoint> link_points_;          ///< of the last 10 s
  std::array<Alarm, ailment_count> alarms_;
};

}  // namespace lookback::server
