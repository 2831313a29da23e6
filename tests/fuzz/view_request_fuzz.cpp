#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/archive/alias.hpp"
#include "server/archive/view_request.hpp"

namespace {

using namespace lookback::server::archive;

constexpr std::int64_t now_us = 1'795'514'491'234'567;

void require(bool holds) {
  if (!holds) std::abort();
}

/// A problem names the parameter in our own words: nothing of the request gets into a header or a document.
void check(const Problem& problem) {
  require(problem.status == 400 && !problem.detail.empty());
  for (const char c : problem.detail) require(c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%');
}

/// The canonical form is a fixed point, within the years that it can write.
void check(const ViewRequest& request) {
  const auto canonical = canonical_query(request, now_us);
  if (!canonical) return check(canonical.error());
  for (const char c : *canonical)
    require(c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '#');
  const auto again = parse_view(*canonical);
  require(again.has_value() && !again->moves());
  require(*canonical_query(*again, now_us + 1'000'000) == *canonical);
  if (!request.start) return;
  const auto range = range_of(request, now_us);
  require(range.has_value() && range->start_us < range->end_us);
  require(range->start_us >= min_time_us && range->start_us <= max_time_us);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto request = parse_view(text)) {
    check(*request);
  } else {
    check(request.error());
  }
  if (const auto alias = parse_alias(text)) {
    if (*alias) {
      check((*alias)->request);
    } else {
      check(alias->error());
    }
  }
  return 0;
}
