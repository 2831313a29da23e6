#include "server/http/date.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lookback::server::http {
namespace {

constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::string_view DateLine::at(std::chrono::system_clock::time_point now) {
  namespace chrono = std::chrono;
  const auto second = chrono::floor<chrono::seconds>(now);
  if (second == second_) return {text_.data(), size_};
  second_ = second;
  const auto day = chrono::floor<chrono::days>(second);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss time(second - day);
  const auto end = fmt::format_to_n(
      text_.data(), text_.size(), "Date: {}, {:02} {} {:04} {:02}:{:02}:{:02} GMT\r\n",
      days[chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
      months[static_cast<unsigned>(date.month()) - 1], std::clamp(static_cast<int>(date.year()), 0, 9999),
      time.hours().count(), time.minutes().count(), time.seconds().count());
  size_ = end.size;
  return {text_.data(), size_};
}

}  // namespace lookback::server::http
