#include "server/archive/time_grammar.hpp"

#include <chrono>
#include <optional>

#include "packager/hls/text.hpp"

namespace lookback::server::archive {
namespace {

constexpr std::int64_t second_us = 1'000'000, ms_us = 1'000;
constexpr std::size_t max_text = 64;  // longer is no time; the rest of a number beyond 18 digits neither

std::int64_t floor_to(std::int64_t value, std::int64_t unit) {
  const auto rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

/// Takes a text from its front, piece by piece.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  std::string_view rest() const { return text_; }

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  /// All digits that follow. `count` of them when it is not 0. Empty: there are none, or it is too large.
  std::optional<std::int64_t> digits(std::size_t count = 0) {
    constexpr std::size_t max_digits = 18;
    std::size_t n = 0;
    std::int64_t value = 0;
    while (n < text_.size() && text_[n] >= '0' && text_[n] <= '9' && (count == 0 || n < count)) {
      if (n == max_digits) return {};
      value = value * 10 + (text_[n++] - '0');
    }
    if (n == 0 || (count != 0 && n != count)) return {};
    text_.remove_prefix(n);
    return value;
  }
  /// The digits behind a point, as millionths; more than six are cut off. 0 when there is no point.
  std::optional<std::int64_t> fraction() {
    if (!take('.')) return 0;
    std::int64_t value = 0, unit = 100'000;
    std::size_t n = 0;
    for (; n < text_.size() && text_[n] >= '0' && text_[n] <= '9'; ++n, unit /= 10)
      value += (text_[n] - '0') * unit;
    if (n == 0) return {};
    text_.remove_prefix(n);
    return value;
  }

 private:
  std::string_view text_;
};

/// Whether the digits before the text's first other character do not fit a number.
bool is_huge(std::string_view text) {
  return text.substr(0, text.find_first_not_of("0123456789")).size() > 18;
}

/// `+01:00`, `Z`: minutes east of UTC.
std::optional<std::int64_t> offset_minutes(Cursor& text) {
  if (text.take('Z') || text.take('z')) return 0;
  const bool west = text.take('-');
  if (!west && !text.take('+')) return {};
  const auto hours = text.digits(2);
  if (!hours || !text.take(':')) return {};
  const auto minutes = text.digits(2);
  if (!minutes || *hours > 23 || *minutes > 59) return {};
  const auto sum = *hours * 60 + *minutes;
  return west ? -sum : sum;
}

/// RFC 3339 5.6 date-time. Empty: it is none.
std::optional<std::int64_t> date_time(Cursor text) {
  using namespace std::chrono;
  const auto y = text.digits(4);
  if (!y || !text.take('-')) return {};
  const auto m = text.digits(2);
  if (!m || !text.take('-')) return {};
  const auto d = text.digits(2);
  if (!d || !(text.take('T') || text.take('t') || text.take(' '))) return {};
  const auto hour = text.digits(2);
  if (!hour || !text.take(':')) return {};
  const auto minute = text.digits(2);
  if (!minute || !text.take(':')) return {};
  const auto second = text.digits(2);
  const auto fraction = text.fraction();
  if (!second || !fraction) return {};
  const auto offset = offset_minutes(text);
  if (!offset || !text.done()) return {};

  const year_month_day date{year(static_cast<int>(*y)), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return {};
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  const auto minutes = days * 1'440 + *hour * 60 + *minute - *offset;
  if (*second == 60 && floor_to(minutes, 1'440) + 1'439 != minutes) return {};
  return (minutes * 60 + *second) * second_us + *fraction;
}

std::optional<std::int64_t> duration(Cursor& text) {
  const auto whole = text.digits();
  if (!whole) return {};
  const auto fraction = text.fraction();
  if (!fraction) return {};
  std::int64_t unit = 1;
  if (text.take('m')) {
    unit = 60;
  } else if (text.take('h')) {
    unit = 3'600;
  } else if (text.take('d')) {
    unit = 86'400;
  } else {
    (void)text.take('s');
  }
  if (*whole > max_duration_us / second_us / unit) return max_duration_us + 1;
  return (*whole * second_us + *fraction) * unit;
}

Problem too_long(std::string_view name) {
  return {400, std::string(name) + " is longer than a hundred years; ask for less"};
}

}  // namespace

std::int64_t Moment::at(std::int64_t now_us) const {
  return relative ? floor_to(now_us + us, second_us) : us;
}

Answer<std::int64_t> parse_duration(std::string_view name, std::string_view text) {
  if (is_huge(text)) return too_long(name);
  Cursor cursor(text);
  const auto us = duration(cursor);
  if (!us || !cursor.done() || text.size() > max_text) {
    return Problem{400, std::string(name) + " is not a duration; write it like 90, 90s, 1.5h or 2d"};
  }
  if (*us > max_duration_us) return too_long(name);
  return floor_to(*us, ms_us);
}

Answer<Moment> parse_time(std::string_view name, std::string_view text) {
  const Problem wrong{400,
                      std::string(name) +
                          " is not a time; write it like 2026-11-24T10:00:00Z, as Unix time in seconds or "
                          "milliseconds, or like now-90s"};
  const Problem too_large{400, std::string(name) + " is outside the years 0 to 9999; correct it"};
  if (is_huge(text)) return too_large;
  if (text.size() > max_text) return wrong;
  Cursor cursor(text);
  if (cursor.take("now")) {
    if (cursor.done()) return Moment{0, true};
    const bool before = cursor.take('-');
    if (!before && !cursor.take('+')) return wrong;
    const auto distance = parse_duration(name, cursor.rest());
    if (!distance) return distance.error();
    return Moment{before ? -*distance : *distance, true};
  }
  auto us = date_time(cursor);
  if (!us) {
    const auto whole = cursor.digits();
    const auto fraction = whole ? cursor.fraction() : std::nullopt;
    if (!fraction || !cursor.done()) return wrong;
    constexpr std::int64_t first_ms = 100'000'000'000;
    if (*whole > max_time_us / ms_us) return too_large;
    us = *whole < first_ms ? *whole * second_us + *fraction : *whole * ms_us;
  }
  if (*us < min_time_us || *us > max_time_us + ms_us - 1) return too_large;
  return Moment{floor_to(*us, ms_us), false};
}

std::string time_text(std::int64_t us) {
  std::string text;
  packager::hls::append_date_time(text, us);
  return text;
}

std::string floor_time_text(std::int64_t us) { return time_text(floor_to(us, ms_us)); }

std::string duration_text(std::int64_t us) {
  std::string text;
  packager::hls::append_seconds(text, us);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

}  // namespace lookback::server::archive
