#include "server/archive/alias.hpp"

#include <algorithm>

namespace lookback::server::archive {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

/// `FROM-DUR`, `FROM-now`
std::optional<Answer<Alias>> archive(std::string_view numbers, bool movie) {
  const auto dash = numbers.find('-');
  if (dash == numbers.npos) return {};
  const auto from = numbers.substr(0, dash), length = numbers.substr(dash + 1);
  if (!is_number(from) || (length != "now" && !is_number(length))) return {};
  Alias alias{movie ? "video.mp4" : "index.m3u8", {}};
  const auto start = parse_time("the archive's start", from);
  if (!start) return Answer<Alias>(start.error());
  alias.request.start = *start;
  if (length == "now") {  // a playlist goes on, a file ends
    if (movie) alias.request.end = Moment{0, true};
    return Answer<Alias>(alias);
  }
  const auto duration = parse_duration("the archive's length", length);
  if (!duration) return Answer<Alias>(duration.error());
  alias.request.duration_us = *duration;
  return Answer<Alias>(alias);
}

}  // namespace

std::optional<Answer<Alias>> parse_alias(std::string_view leaf) {
  const bool movie = take_suffix(leaf, ".mp4");
  if (!movie && !take_suffix(leaf, ".m3u8")) return {};
  if (take_prefix(leaf, "archive-")) return archive(leaf, movie);
  Alias alias{"index.m3u8", {}};
  std::optional<Problem> problem;
  const auto take = [&](auto& field, auto value) {
    if (value) {
      field = *value;
    } else {
      problem = value.error();
    }
  };
  if (movie) return {};
  if (take_prefix(leaf, "timeshift_rel-") && is_number(leaf)) {
    take(alias.request.delay_us, parse_duration("the time shift", leaf));
  } else if (take_prefix(leaf, "timeshift_abs-") && is_number(leaf)) {
    take(alias.request.start, parse_time("the time shift", leaf));
  } else if (take_prefix(leaf, "rewind-") && is_number(leaf)) {
    take(alias.request.window_us, parse_duration("the window", leaf));
  } else {
    return {};
  }
  return problem ? Answer<Alias>(*std::move(problem)) : Answer<Alias>(alias);
}

}  // namespace lookback::server::archive
