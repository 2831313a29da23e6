#include "server/live/ingest_health.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <tuple>

namespace lookback::server {
namespace {

using packager::MediaKind;

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t window_s = 5;
/// More pictures than any source sends in a second: what is above is not measured.
constexpr std::size_t most_intervals = 300;

constexpr int looks_to_raise = 3, looks_to_clear = 10;

/// Frame intervals that are off the usual one by a quarter, and by more than the milliseconds of RTMP
/// explain.
constexpr double odd_interval = 0.25;
constexpr std::int64_t odd_interval_us = 5'000;
/// As the packager: a step of this size is a break (SessionTimeline::Options::jump_us). Back by any amount
/// that is no rounding.
constexpr std::int64_t leap_us = 3 * second_us, step_back_us = 20'000;
/// Less than two minutes tell jitter rather than drift.
constexpr std::int64_t late_interval_us = 10 * second_us, drift_span_us = 120 * second_us;
constexpr std::size_t most_late_points = 60;
/// Another rendition speaks for the source when the one that did has been silent this long: sooner than its
/// silence is a complaint.
constexpr std::int64_t speaker_silence_us = second_us;
constexpr std::int64_t link_span_us = 10 * second_us;

std::size_t index(MediaKind kind) { return static_cast<std::size_t>(kind); }
double s(std::int64_t us) { return static_cast<double>(us) / second_us; }
std::int64_t us(std::chrono::milliseconds time) { return std::chrono::microseconds(time).count(); }
double share(std::uint64_t ppm) { return static_cast<double>(ppm) / 1e6; }
double ms(std::int64_t us) { return static_cast<double>(us) / 1'000; }

}  // namespace

std::string_view name_of(Ailment ailment) {
  constexpr std::array<std::string_view, ailment_count> names{
      "no_video",        "no_audio", "long_gop", "variable_frame_rate",
      "timestamp_jumps", "av_apart", "jitter",   "clock_offset",
      "drift",           "loss",     "latency",  "unaligned_renditions"};
  return names[static_cast<std::size_t>(ailment)];
}

// --- samples --------------------------------------------------------------------------------------

IngestHealth::Second& IngestHealth::second(std::int64_t now_us) {
  const auto number = now_us / second_us;
  if (seconds_.empty() || seconds_.back().number < number) {
    seconds_.emplace_back().number = number;
    while (seconds_.front().number < number - window_s) seconds_.pop_front();
  }
  return seconds_.back();
}

bool IngestHealth::speaks(const packager::SourceSample& sample, std::int64_t now_us) {
  auto& clock = clocks_[index(sample.kind)];
  if (!clock.last_arrival_us) clock.speaker = sample.number;
  if (sample.number == clock.speaker) return true;
  if (now_us - *clock.last_arrival_us < speaker_silence_us) return false;
  clock = {};
  clock.speaker = sample.number;
  if (sample.kind == MediaKind::video) last_sync_us_.reset();
  return true;
}

void IngestHealth::take(const packager::SourceSample& sample, std::int64_t now_us) {
  second(now_us).bytes += sample.payload.size();
  if (!speaks(sample, now_us)) return;
  auto& clock = clocks_[index(sample.kind)];
  const auto step_us = clock.last_dts_us ? sample.dts_us - *clock.last_dts_us : 0;
  if (step_us < -step_back_us || step_us > leap_us) {
    ++jumps_;
    last_jump_us_ = now_us;
    forget_timing();
  }
  auto& now = second(now_us);
  const auto late_us = now_us - sample.dts_us;
  auto &earliest = now.earliest_us[index(sample.kind)], &latest = now.latest_us[index(sample.kind)];
  earliest = std::min(earliest.value_or(late_us), late_us);
  latest = std::max(latest.value_or(late_us), late_us);
  if (sample.kind == MediaKind::video) {
    if (step_us > 0 && step_us <= leap_us && now.intervals_us.size() < most_intervals)
      now.intervals_us.push_back(static_cast<std::int32_t>(step_us));
    if (sample.sync) note_gop(sample.dts_us);
  }
  clock.last_dts_us = sample.dts_us;
  clock.last_arrival_us = now_us;
}

void IngestHealth::take_unaligned(std::uint64_t starts, std::int64_t now_us) {
  if (starts > unaligned_starts_) last_unaligned_us_ = now_us;
  unaligned_starts_ = starts;
}

void IngestHealth::note_gop(std::int64_t dts_us) {
  if (last_sync_us_ && dts_us > *last_sync_us_) gop_us_ = dts_us - *last_sync_us_;
  last_sync_us_ = dts_us;
}

/// The clock has jumped: what it said before does not compare with what it says now.
void IngestHealth::forget_timing() {
  for (auto& each : seconds_) {
    each.earliest_us = each.latest_us = {};
    each.intervals_us.clear();
  }
  last_sync_us_.reset();
  first_late_us_.reset();
  late_points_.clear();
}

// --- measures -------------------------------------------------------------------------------------

void IngestHealth::measure_rates(HealthReport& report) const {
  std::uint64_t bytes = 0;
  std::int64_t interval_us = 0, intervals = 0, whole = 0;
  for (std::size_t i = 0; i + 1 < seconds_.size(); ++i) {  // the last is not over
    bytes += seconds_[i].bytes;
    ++whole;
    for (const auto each : seconds_[i].intervals_us) interval_us += each;
    intervals += static_cast<std::int64_t>(seconds_[i].intervals_us.size());
  }
  if (whole > 0) {
    const auto span_s = seconds_.back().number - seconds_.front().number;
    report.bits_per_second = static_cast<std::int64_t>(bytes) * 8 / span_s;
  }
  if (interval_us > 0)
    report.frame_rate = static_cast<double>(intervals) * 1e6 / static_cast<double>(interval_us);
}

void IngestHealth::measure_clock(HealthReport& report, std::int64_t now_us) {
  std::array<std::optional<std::int64_t>, 2> earliest, latest;
  for (const auto& each : seconds_) {
    for (std::size_t kind = 0; kind < 2; ++kind) {
      if (!each.earliest_us[kind]) continue;
      earliest[kind] = std::min(earliest[kind].value_or(*each.earliest_us[kind]), *each.earliest_us[kind]);
      latest[kind] = std::max(latest[kind].value_or(*each.latest_us[kind]), *each.latest_us[kind]);
    }
  }
  if (earliest[0] && earliest[1]) report.av_offset_us = *earliest[1] - *earliest[0];
  const std::size_t lead = earliest[0] ? 0 : 1;
  if (!earliest[lead]) return;
  report.jitter_us = *latest[lead] - *earliest[lead];
  if (now_us - start_us_ < window_s * second_us) return;
  if (!first_late_us_) first_late_us_ = earliest[lead];
  report.clock_offset_us = *earliest[lead] - *first_late_us_;
  if (late_points_.empty() || now_us - late_points_.back().at_us >= late_interval_us) {
    late_points_.push_back({now_us, *earliest[lead]});
    if (late_points_.size() > most_late_points) late_points_.pop_front();
  }
  if (late_points_.back().at_us - late_points_.front().at_us >= drift_span_us) report.drift_ppm = drift_ppm();
}

/// The slope of the straight line through the points, by least squares.
double IngestHealth::drift_ppm() const {
  double mean_at = 0, mean_late = 0;
  for (const auto& [at_us, late_us] : late_points_) {
    mean_at += s(at_us - late_points_.front().at_us);
    mean_late += static_cast<double>(late_us - late_points_.front().late_us);
  }
  const auto count = static_cast<double>(late_points_.size());
  mean_at /= count;
  mean_late /= count;
  double both = 0, square = 0;
  for (const auto& [at_us, late_us] : late_points_) {
    const auto at = s(at_us - late_points_.front().at_us) - mean_at;
    both += at * (static_cast<double>(late_us - late_points_.front().late_us) - mean_late);
    square += at * at;
  }
  return both / square;  // microseconds for each second
}

void IngestHealth::measure_link(HealthReport& report, const std::optional<LinkStats>& link,
                                std::int64_t now_us) {
  if (!link) return;
  if (!link_points_.empty() && link->received_packets < link_points_.back().stats.received_packets)
    link_points_.clear();  // the counts of a socket that is gone
  link_points_.push_back({now_us, *link});
  while (link_points_.front().at_us < now_us - link_span_us) link_points_.pop_front();
  const auto& before = link_points_.front().stats;
  const auto received = link->received_packets - before.received_packets;
  const auto lost = link->lost_packets - before.lost_packets,
             gone = link->dropped_packets - before.dropped_packets;
  if (received + lost > 0) report.loss = static_cast<double>(lost) / static_cast<double>(received + lost);
  const auto text =
      gone > 0
          ? fmt::format(
                "{} packets never came in the last 10 s: raise the SRT latency, or lower the bit rate", gone)
          : fmt::format(
                "{:.1f} % of packets had to be sent again in the last 10 s: the network is overloaded or "
                "poor",
                report.loss.value_or(0) * 100);
  look(Ailment::loss, gone > 0 || report.loss.value_or(0) > share(options_.loss_ppm), text, now_us);
  const auto fewest = static_cast<std::int64_t>(options_.round_trips);
  look(Ailment::latency, link->latency < fewest * link->rtt,
       fmt::format("the SRT latency of {} ms is less than {} round trips of {:.0f} ms: four are a good value",
                   link->latency.count(), fewest, ms(link->rtt.count())),
       now_us);
}

// --- words ----------------------------------------------------------------------------------------

void IngestHealth::look(Ailment ailment, bool seen, std::string text, std::int64_t now_us, bool notice) {
  auto& alarm = alarms_[static_cast<std::size_t>(ailment)];
  alarm.seen = seen ? alarm.seen + 1 : 0;
  alarm.unseen = seen ? 0 : alarm.unseen + 1;
  if (seen) {
    alarm.text = std::move(text);
    alarm.notice = notice;
  }
  if (!alarm.raised && alarm.seen >= looks_to_raise) {
    alarm.raised = true;
    alarm.since_us = now_us;
  } else if (alarm.raised && alarm.unseen >= looks_to_clear) {
    alarm.raised = false;
  }
}

void IngestHealth::look_at_tracks(const HealthReport& report, std::int64_t now_us) {
  for (const auto& [kind, ailment, word, what] :
       {std::tuple(MediaKind::video, Ailment::no_video, "video", "picture"),
        std::tuple(MediaKind::audio, Ailment::no_audio, "audio", "sound")}) {
    const auto last = clocks_[index(kind)].last_arrival_us;
    const auto silence_us = now_us - last.value_or(start_us_);
    look(ailment, silence_us > us(options_.silence),
         last ? fmt::format("no {} has come for {:.0f} s", what, s(silence_us))
              : fmt::format("the publisher sends no {}", word),
         now_us, !last);
  }
  look(
      Ailment::long_gop, report.gop_us.value_or(0) > us(options_.long_gop),
      fmt::format("a key picture comes every {:.1f} s: set the encoder to 2 s", s(report.gop_us.value_or(0))),
      now_us);
  look(Ailment::variable_frame_rate, is_variable(),
       "the frame rate varies: set the encoder to a constant one, or parts are uneven", now_us);
  look(
      Ailment::unaligned,
      last_unaligned_us_ != 0 && now_us - last_unaligned_us_ < us(options_.unaligned_memory),
      fmt::format("the renditions' key pictures do not coincide: {} segments so far start without one, and a "
                  "player may stutter when it switches; let the encoder use fixed, common GOPs",
                  unaligned_starts_),
      now_us);
}

/// Half of the intervals are shorter than the usual one, half are longer; most are like it when the rate is
/// constant.
bool IngestHealth::is_variable() const {
  std::vector<std::int32_t> all;
  for (const auto& each : seconds_) all.insert(all.end(), each.intervals_us.begin(), each.intervals_us.end());
  if (all.size() < 20) return false;
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::ranges::nth_element(all, middle);
  const auto usual = *middle;
  const auto most = std::max<std::int64_t>(odd_interval_us, static_cast<std::int64_t>(usual * odd_interval));
  const auto odd = std::ranges::count_if(all, [&](auto each) { return std::abs(each - usual) > most; });
  return static_cast<double>(odd) > share(options_.uneven_frames_ppm) * static_cast<double>(all.size());
}

void IngestHealth::look_at_timing(const HealthReport& report, std::int64_t now_us) {
  look(Ailment::jumps, last_jump_us_ != 0 && now_us - last_jump_us_ < us(options_.jump_memory),
       fmt::format("timestamps have jumped, {} times so far: each is a discontinuity for players", jumps_),
       now_us);
  const auto apart = report.av_offset_us.value_or(0);
  look(Ailment::av_apart, std::llabs(apart) > us(options_.av_apart),
       fmt::format("sound comes {:.1f} s {} than the pictures it belongs to", s(std::llabs(apart)),
                   apart > 0 ? "later" : "earlier"),
       now_us);
  look(Ailment::jitter, report.jitter_us.value_or(0) > us(options_.jitter),
       fmt::format("media comes in fits and starts of {:.0f} ms: players close to the live edge may stall",
                   ms(report.jitter_us.value_or(0))),
       now_us);
  const auto offset = report.clock_offset_us.value_or(0);
  look(Ailment::clock_offset, std::llabs(offset) > us(options_.clock_offset),
       offset > 0
           ? fmt::format(
                 "media comes {:.1f} s later than at the start: the encoder or the network falls behind",
                 s(offset))
           : fmt::format("media comes {:.1f} s earlier than at the start: the encoder is faster than time",
                         s(-offset)),
       now_us);
  const auto drift = report.drift_ppm.value_or(0);
  look(Ailment::drift, std::fabs(drift) > static_cast<double>(options_.drift_ppm),
       fmt::format("the source's clock is {} by {:.0f} ppm, {:.1f} s a day", drift > 0 ? "slow" : "fast",
                   std::fabs(drift), std::fabs(drift) * 0.0864),
       now_us);
}

HealthReport IngestHealth::assess(const std::optional<LinkStats>& link, std::int64_t now_us) {
  (void)second(now_us);  // what is old goes, also when nothing comes
  HealthReport report;
  report.jumps = jumps_;
  measure_rates(report);
  measure_clock(report, now_us);
  report.gop_us = gop_us_;
  if (last_sync_us_) {
    const auto since = *clocks_[index(MediaKind::video)].last_dts_us - *last_sync_us_;
    if (since > gop_us_.value_or(0) && (gop_us_ || since > us(options_.long_gop))) report.gop_us = since;
  }
  measure_link(report, link, now_us);
  look_at_tracks(report, now_us);
  look_at_timing(report, now_us);
  for (std::size_t i = 0; i < ailment_count; ++i) {
    const auto& alarm = alarms_[i];
    if (!alarm.raised) continue;
    report.complaints.push_back({static_cast<Ailment>(i), alarm.text, alarm.since_us, alarm.notice});
  }
  return report;
}

}  // namespace lookback::server
