#include "conf/units.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <span>

namespace lookback::conf {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t scale;  ///< in microseconds, bytes or parts per million
};

/// From large to small: the order in which several may be combined.
constexpr std::array duration_units{
    Unit{"d", 86'400'000'000}, Unit{"h", 3'600'000'000}, Unit{"m", 60'000'000},
    Unit{"s", 1'000'000},      Unit{"ms", 1'000},        Unit{"us", 1},
};

constexpr std::array size_units{
    Unit{"TiB", 1ull << 40},
    Unit{"TB", 1'000'000'000'000},
    Unit{"GiB", 1ull << 30},
    Unit{"GB", 1'000'000'000},
    Unit{"MiB", 1ull << 20},
    Unit{"MB", 1'000'000},
    Unit{"KiB", 1ull << 10},
    Unit{"kB", 1'000},
    Unit{"B", 1},
};

constexpr std::array share_units{Unit{"%", 10'000}, Unit{"ppm", 1}};

constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_of_unit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%'; }

/// Takes what matches from the front of `text`.
template <class Predicate>
std::string_view take_while(std::string_view& text, Predicate matches) {
  const auto end = std::find_if_not(text.begin(), text.end(), matches);
  const auto taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

Result<std::uint64_t> add(std::uint64_t a, std::uint64_t b) {
  if (a > largest || b > largest - a) return Errc::too_large;
  return a + b;
}

Result<std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) {
  if (b != 0 && a > largest / b) return Errc::too_large;
  return a * b;
}

Result<std::uint64_t> whole_number(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto tens = multiply(value, 10);
    if (!tens) return tens.error();
    const auto sum = add(*tens, static_cast<std::uint64_t>(c - '0'));
    if (!sum) return sum.error();
    value = *sum;
  }
  return value;
}

/// `0.digits * scale`, exact or not at all.
Result<std::uint64_t> fraction(std::string_view digits, std::uint64_t scale) {
  while (!digits.empty() && digits.back() == '0') digits.remove_suffix(1);
  std::uint64_t divisor = 1;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto next = multiply(divisor, 10);
    if (!next) return Errc::too_fine;
    divisor = *next;
  }
  const auto numerator = whole_number(digits);
  if (!numerator) return Errc::too_fine;
  // Shorten first, so that "1.5TiB" does not overflow on its way.
  const auto common = std::gcd(divisor, scale);
  if (*numerator % (divisor / common) != 0) return Errc::too_fine;
  return multiply(*numerator / (divisor / common), scale / common);
}

/// One "NUMBER[.NUMBER]UNIT" from the front of `text`.
struct Term {
  std::uint64_t value = 0;
  std::size_t unit = 0;  ///< index into the units
};

Result<Term> take_term(std::string_view& text, std::span<const Unit> units) {
  const auto digits = take_while(text, is_digit);
  if (digits.empty()) return Errc::not_a_number;
  std::string_view decimals;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimals = take_while(text, is_digit);
    if (decimals.empty()) return Errc::not_a_number;
  }
  const auto name = take_while(text, is_of_unit);
  if (name.empty()) return text.empty() ? Errc::missing_unit : Errc::unknown_unit;
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
  if (unit == units.end()) return Errc::unknown_unit;

  const auto number = whole_number(digits);
  if (!number) return number.error();
  const auto whole = multiply(*number, unit->scale);
  if (!whole) return whole.error();
  const auto rest = fraction(decimals, unit->scale);
  if (!rest) return rest.error();
  const auto sum = add(*whole, *rest);
  if (!sum) return sum.error();
  return Term{*sum, static_cast<std::size_t>(unit - units.begin())};
}

/// A text that is one term.
Result<std::uint64_t> parse_one(std::string_view text, std::span<const Unit> units) {
  const auto term = take_term(text, units);
  if (!term) return term.error();
  if (!text.empty()) return Errc::unknown_unit;
  return term->value;
}

std::string format(std::uint64_t value, std::span<const Unit> units, bool (*shown)(const Unit&)) {
  for (const auto& unit : units) {
    if (shown(unit) && value >= unit.scale && value % unit.scale == 0) {
      return std::to_string(value / unit.scale).append(unit.name);
    }
  }
  return {};
}

}  // namespace

Result<std::chrono::microseconds> parse_duration(std::string_view text) {
  std::uint64_t sum = 0;
  std::size_t next_unit = 0;
  do {
    const auto term = take_term(text, duration_units);
    if (!term) return term.error();
    if (term->unit < next_unit) return Errc::units_out_of_order;
    next_unit = term->unit + 1;
    const auto total = add(sum, term->value);
    if (!total) return total.error();
    sum = *total;
  } while (!text.empty());
  return std::chrono::microseconds(static_cast<std::int64_t>(sum));
}

Result<std::uint64_t> parse_size(std::string_view text) { return parse_one(text, size_units); }
Result<std::uint64_t> parse_share(std::string_view text) { return parse_one(text, share_units); }

std::string format_duration(std::chrono::microseconds value) {
  if (value.count() <= 0) return "0s";
  return format(static_cast<std::uint64_t>(value.count()), duration_units, [](const Unit&) { return true; });
}

std::string format_share(std::uint64_t ppm) {
  if (ppm == 0) return "0%";
  return format(ppm, share_units, [](const Unit&) { return true; });
}

std::string format_size(std::uint64_t bytes) {
  if (bytes == 0) return "0B";
  return format(bytes, size_units, [](const Unit& u) { return u.name == "B" || u.name.ends_with("iB"); });
}

}  // namespace lookback::conf
