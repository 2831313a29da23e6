#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "server/archive/time_grammar.hpp"

namespace lookback::server::archive {

/// What a query says of the part of a stream or recording it wants.
///
/// | form | wants |
/// |---|---|
/// | nothing | all there is |
/// | `window=D` | no more than the newest D; 0: the shortest playlist that the standard allows |
/// | `delay=D` | as it was D ago; also with `window` |
/// | `start=T` | from T on |
/// | `start=T&end=T`, `start=T&duration=D` | a range |
struct ViewRequest {
  std::optional<Moment> start, end;
  std::optional<std::int64_t> duration_us, window_us, delay_us;
  bool operator==(const ViewRequest&) const = default;

  bool empty() const { return *this == ViewRequest{}; }
  /// It means another range every second: redirect to the canonical form, which caches hold once.
  bool moves() const { return (start && start->relative) || (end && end->relative); }
};

/// A range on the wall clock. The end is exclusive; `open_end`: none was asked for.
struct TimeRange {
  static constexpr std::int64_t open_end = std::numeric_limits<std::int64_t>::max();
  std::int64_t start_us = 0, end_us = open_end;
};

/// Whether a query parameter is ours: it is not carried to child URLs as it came.
bool is_own_parameter(std::string_view name);

/// Undoes percent-encoding once; what is no escape stays as it is.
std::string decode_percent(std::string_view text);

/// Reads the view parameters of a query ("start=...&end=..."), percent-encoded as it came (a plus sign is a
/// plus sign). Other parameters are passed over. Errors: 400 for a parameter that is malformed, stands twice
/// or does not go with another.
Answer<ViewRequest> parse_view(std::string_view query);

/// The range that `start`, `end` and `duration` name at `now_us`. `start` must be set. Errors: 400 when it is
/// empty, reversed or ends after the year 9999.
Answer<TimeRange> range_of(const ViewRequest& request, std::int64_t now_us);

/// The canonical query of a request: UTC with milliseconds, `end` instead of `duration`; the same for all
/// requests that mean the same. Empty for an empty request. Errors: those of range_of.
Answer<std::string> canonical_query(const ViewRequest& request, std::int64_t now_us);

}  // namespace lookback::server::archive
