#include "tests/support/rendition_checks.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "tests/support/media_rules.hpp"
#include "tests/support/mp4_boxes.hpp"

namespace lookback::support {
namespace {

double timescale_of(const RenditionLog& log) {
  return parse_init(log.bytes(log.segments().begin()->second.map)).tracks.at(0).timescale;
}

}  // namespace

std::map<std::uint64_t, double> starts_of(const RenditionLog& log) {
  const auto timescale = timescale_of(log);
  std::map<std::uint64_t, double> starts;
  for (const auto& [msn, segment] : log.segments()) {
    if (segment.gap || log.bytes(segment.uri).empty()) continue;
    auto first = std::numeric_limits<double>::max();
    for (const auto& fragment : parse_media(log.bytes(segment.uri)).fragments)
      for (const auto& sample : fragment.samples) first = std::min(first, static_cast<double>(sample.pts()));
    starts[msn] = first / timescale;
  }
  return starts;
}

void check_rules(const Witness& witness) {
  for (const auto& rendition : witness.renditions()) {
    auto violations = check_all(rendition);
    for (const auto& other : witness.renditions()) {
      if (other.track == rendition.track) continue;
      const auto pair =
          check_renditions(rendition.snapshots.back().playlist, other.snapshots.back().playlist);
      violations.insert(violations.end(), pair.begin(), pair.end());
    }
    CAPTURE(rendition.track, describe(violations));
    CHECK(violations.empty());
    CHECK(rendition.failures.empty());
  }
}

std::size_t check_starts(const RenditionLog& rendition, const RenditionLog& lead, double most) {
  const auto leads = starts_of(lead);
  std::size_t compared = 0;
  for (const auto& [msn, start] : starts_of(rendition)) {
    if (!leads.contains(msn)) continue;
    CAPTURE(rendition.track, msn);
    CHECK(std::abs(start - leads.at(msn)) <= most);
    ++compared;
  }
  return compared;
}

}  // namespace lookback::support
