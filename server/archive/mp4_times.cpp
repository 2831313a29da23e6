#include "server/archive/mp4_times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace lookback::server {
namespace {

namespace chrono = std::chrono;

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t century_us = 36'525ll * 86'400 * second_us;
constexpr std::int64_t end_of_years_us = 253'402'300'800 * second_us;  // 10000-01-01

/// Takes text off the front. Belongs to its caller.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  /// Exactly `count` digits.
  std::optional<int> digits(std::size_t count) {
    if (text_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : text_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  /// A decimal number, in millionths; what is finer is dropped. At most 13 digits before the point.
  std::optional<std::int64_t> decimal() {
    std::int64_t value = 0;
    std::size_t whole = 0;
    for (; peek() >= '0' && peek() <= '9'; ++whole, text_.remove_prefix(1)) {
      if (whole == 13) return std::nullopt;
      value = value * 10 + (peek() - '0');
    }
    if (whole == 0) return std::nullopt;
    if (__builtin_mul_overflow(value, second_us, &value)) return std::nullopt;
    if (!take('.')) return value;
    const auto part = fraction();
    if (!part) return std::nullopt;
    if (__builtin_add_overflow(value, *part, &value)) return std::nullopt;
    return value;
  }
  /// Digits behind a point, in millionths.
  std::optional<std::int64_t> fraction() {
    std::int64_t value = 0, unit = second_us / 10;
    std::size_t count = 0;
    for (; peek() >= '0' && peek() <= '9'; ++count, text_.remove_prefix(1), unit /= 10)
      value += (peek() - '0') * unit;
    if (count == 0) return std::nullopt;
    return value;
  }
  bool done() const { return text_.empty(); }
  std::string_view left() const { return text_; }

 private:
  std::string_view text_;
};

/// A query keeps its percent-encoding; of the characters of a time only these are ever encoded.
std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text.substr(i, 3);
    const bool colon = code == "%3A" || code == "%3a", plus = code == "%2B" || code == "%2b";
    out += colon ? ':' : plus ? '+' : text[i];
    if (colon || plus) i += 2;
  }
  return out;
}

std::optional<std::int64_t> unit_us(std::string_view unit) {
  if (unit.empty() || unit == "s") return second_us;
  if (unit == "m") return 60 * second_us;
  if (unit == "h") return 3'600 * second_us;
  if (unit == "d") return 86'400 * second_us;
  return std::nullopt;
}

/// The offset at the end of an RFC 3339 time, in minutes.
std::optional<int> offset_minutes(Cursor& in) {
  if (in.take('Z') || in.take('z')) return 0;
  const bool minus = in.peek() == '-';
  // A '+' that was not encoded has become a space on the way through some clients.
  if (!in.take('+') && !in.take('-') && !in.take(' ')) return std::nullopt;
  const auto hours = in.digits(2);
  if (!in.take(':')) return std::nullopt;
  const auto minutes = in.digits(2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return (minus ? -1 : 1) * (*hours * 60 + *minutes);
}

/// RFC 3339 5.6.
std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  Cursor in(text);
  const auto year = in.digits(4);
  if (!in.take('-')) return std::nullopt;
  const auto month = in.digits(2);
  if (!in.take('-')) return std::nullopt;
  const auto day = in.digits(2);
  if (!in.take('T') && !in.take('t')) return std::nullopt;
  const auto hour = in.digits(2);
  if (!in.take(':')) return std::nullopt;
  const auto minute = in.digits(2);
  if (!in.take(':')) return std::nullopt;
  const auto second = in.digits(2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  std::int64_t fraction = 0;
  if (in.take('.')) {
    const auto part = in.fraction();
    if (!part) return std::nullopt;
    fraction = *part;
  }
  const auto offset = offset_minutes(in);
  const chrono::year_month_day date{chrono::year(*year), chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!offset || !in.done() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::int64_t days = chrono::sys_days(date).time_since_epoch().count();
  const auto seconds = days * 86'400 + *hour * 3'600 + (*minute - *offset) * 60 + *second;
  return seconds * second_us + fraction;
}

std::optional<std::int64_t> parse_unix(std::string_view text) {
  constexpr std::int64_t first_ms = 100'000'000'000;  // 1973 in ms, the year 5138 in s
  Cursor in(text);
  const auto value = in.decimal();
  if (!value || !in.done()) return std::nullopt;
  return *value / second_us >= first_ms ? *value / 1'000 : *value;
}

}  // namespace

std::optional<Mp4Time> parse_mp4_time(std::string_view text, std::int64_t now_us) {
  const auto plain = decode(text);
  const std::string_view view(plain);
  if (view == "now") return Mp4Time{now_us, true};
  if (view.starts_with("now-")) {
    const auto back = parse_mp4_duration(view.substr(4));
    if (!back) return std::nullopt;
    return Mp4Time{std::max<std::int64_t>(0, now_us - *back), true};
  }
  auto us = parse_unix(view);
  if (!us) us = parse_rfc3339(view);
  if (!us || *us < 0 || *us >= end_of_years_us) return std::nullopt;
  return Mp4Time{*us, false};
}

std::optional<std::int64_t> parse_mp4_duration(std::string_view text) {
  Cursor in(text);
  const auto number = in.decimal();
  const auto unit = number ? unit_us(in.left()) : std::nullopt;
  if (!unit) return std::nullopt;
  const auto us = static_cast<__int128>(*number) * *unit / second_us;
  if (us <= 0 || us > century_us) return std::nullopt;
  return static_cast<std::int64_t>(us);
}

std::string format_mp4_time(std::int64_t us) {
  const chrono::sys_time<chrono::milliseconds> time{chrono::milliseconds(us / 1'000)};
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string file_time(std::int64_t us) {
  auto text = format_mp4_time(us).substr(0, 19) + "Z";
  text.erase(std::remove(text.begin(), text.end(), ':'), text.end());
  return text;
}

std::string file_duration(std::int64_t us) {
  const auto seconds = std::max<std::int64_t>(1, (us + second_us / 2) / second_us);
  std::string text;
  if (seconds >= 3'600) text += fmt::format("{}h", seconds / 3'600);
  if (seconds % 3'600 >= 60) text += fmt::format("{}m", seconds % 3'600 / 60);
  if (seconds % 60 != 0) text += fmt::format("{}s", seconds % 60);
  return text;
}

}  // namespace lookback::server
