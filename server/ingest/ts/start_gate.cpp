#include "server/ingest/ts/start_gate.hpp"

#include <limits>
#include <utility>

namespace lookback::server::ts {
namespace {

using packager::MediaKind;
using packager::SourceSample;

/// Sound without a key picture for this long begins alone. Some encoders' GOPs last 10 s.
constexpr std::int64_t longest_wait_us = 12'000'000;
constexpr std::size_t max_held_bytes = 4u << 20;
/// Sound that begins this long before the picture may still last into it.
constexpr std::int64_t frame_us = 100'000;

}  // namespace

void StartGate::push(IngestEvent event, std::vector<IngestEvent>& out) {
  auto* sample = std::get_if<SourceSample>(&event);
  if (open_ || !expects_video_ || !sample) {
    if (sample) open_ = true;
    out.push_back(std::move(event));
    return;
  }
  if (sample->kind == MediaKind::audio) return hold(std::move(*sample), out);
  if (!sample->sync) {
    ++counts_.early_units;
    return;
  }
  const auto shown_us = sample->dts_us + sample->composition_us;
  out.push_back(std::move(event));
  open(shown_us - frame_us, out);
}

void StartGate::hold(SourceSample sample, std::vector<IngestEvent>& out) {
  held_bytes_ += sample.payload.size();
  held_.push_back(std::move(sample));
  const auto waited_us = held_.back().dts_us - held_.front().dts_us;
  const bool too_long = waited_us > longest_wait_us || waited_us < -longest_wait_us;
  if (too_long || held_bytes_ > max_held_bytes) open(std::numeric_limits<std::int64_t>::min(), out);
}

void StartGate::open(std::int64_t from_us, std::vector<IngestEvent>& out) {
  open_ = true;
  for (auto& sample : std::exchange(held_, {})) {
    if (sample.dts_us < from_us) {
      ++counts_.early_units;
    } else {
      out.emplace_back(std::move(sample));
    }
  }
  held_bytes_ = 0;
}

}  // namespace lookback::server::ts
