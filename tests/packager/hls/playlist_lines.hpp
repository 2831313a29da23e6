#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// The grammar below playlists: lines, attribute lists, numbers (rfc8216bis 4.1, 4.2). Strict: all that the
/// draft does not allow throws std::runtime_error with the line in its message.
namespace lookback::test {

[[noreturn]] inline void reject(const std::string& why, std::string_view line) {
  throw std::runtime_error(why + ": " + std::string(line));
}

inline void require(bool holds, const std::string& why, std::string_view line) {
  if (!holds) reject(why, line);
}

/// decimal-integer: 1 to 20 digits, 0 .. 2^64-1.
inline std::uint64_t integer(std::string_view text) {
  std::uint64_t value = 0;
  require(!text.empty() && text.size() <= 20, "not a decimal-integer", text);
  for (const char c : text) {
    require(c >= '0' && c <= '9', "not a decimal-integer", text);
    require(!__builtin_mul_overflow(value, 10u, &value), "overflow", text);
    require(!__builtin_add_overflow(value, static_cast<unsigned>(c - '0'), &value), "overflow", text);
  }
  return value;
}

/// decimal-floating-point in seconds, exactly, as microseconds. `least_decimals`: digits that must follow the
/// point.
inline std::int64_t seconds(std::string_view text, std::size_t least_decimals = 0) {
  const auto point = text.find('.');
  const auto whole = integer(text.substr(0, point));
  std::string fraction(point == text.npos ? "" : text.substr(point + 1));
  require(point == text.npos || !fraction.empty(), "no digit behind the point", text);
  require(fraction.size() >= least_decimals && fraction.size() <= 6, "number of decimals", text);
  fraction.resize(6, '0');
  return static_cast<std::int64_t>(whole * 1'000'000 + integer(fraction));
}

/// `YYYY-MM-DDThh:mm:ss.mmmZ` as Unix microseconds, by Gauss's day count.
inline std::int64_t date_time(std::string_view text) {
  require(text.size() == 24 && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' &&
              text[16] == ':' && text[19] == '.' && text[23] == 'Z',
          "not a UTC date with milliseconds", text);
  const auto field = [&](std::size_t at, std::size_t size) {
    return static_cast<std::int64_t>(integer(text.substr(at, size)));
  };
  auto year = field(0, 4), month = field(5, 2);
  if (month <= 2) {
    --year;
    month += 12;
  }
  const auto day =
      365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + field(8, 2) - 719469;
  return (((day * 24 + field(11, 2)) * 60 + field(14, 2)) * 60 + field(17, 2)) * 1'000'000 +
         field(20, 3) * 1000;
}

/// AttributeName=value,...: names in capitals, none twice, strings quoted without line breaks.
class Attributes {
 public:
  explicit Attributes(std::string_view list) : list_(list) {
    auto rest = list;
    while (!rest.empty()) {
      const auto equals = rest.find('=');
      require(equals != rest.npos && equals > 0, "attribute without value", list);
      const auto name = rest.substr(0, equals);
      require(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == name.npos, "attribute name",
              list);
      rest.remove_prefix(equals + 1);
      const auto quoted = rest.starts_with('"');
      const auto end = quoted ? closing_quote(rest) : std::min(rest.find(','), rest.size());
      const auto value = rest.substr(0, end);
      require(quoted || (!value.empty() && value.find_first_of("\" \t") == value.npos), "attribute value",
              list);
      require(values_.emplace(name, value).second, "attribute twice", list);
      rest.remove_prefix(end);
      require(rest.empty() || rest.starts_with(','), "junk behind a value", list);
      if (rest.empty()) break;
      rest.remove_prefix(1);
      require(!rest.empty(), "comma at the end", list);
    }
  }

  bool has(std::string_view name) const { return values_.count(std::string(name)) > 0; }
  std::string_view get(std::string_view name) const {
    const auto found = values_.find(std::string(name));
    require(found != values_.end(), "missing " + std::string(name), list_);
    return found->second;
  }
  std::string text(std::string_view name) const {
    const auto value = get(name);
    require(value.size() >= 2 && value.front() == '"', "must be quoted: " + std::string(name), list_);
    return std::string(value.substr(1, value.size() - 2));
  }
  std::string word(std::string_view name) const {
    const auto value = get(name);
    require(value.front() != '"', "must not be quoted: " + std::string(name), list_);
    return std::string(value);
  }
  bool yes(std::string_view name) const {
    if (!has(name)) return false;
    require(word(name) == "YES", "only YES may stand for " + std::string(name), list_);
    return true;
  }
  void only(const std::set<std::string>& names) const {
    for (const auto& [name, value] : values_)
      require(names.count(name) > 0, "unknown attribute " + name, list_);
  }

 private:
  std::size_t closing_quote(std::string_view rest) const {
    const auto quote = rest.find('"', 1);
    require(quote != rest.npos, "open quote", list_);
    return quote + 1;
  }

  std::string list_;
  std::map<std::string, std::string> values_;
};

/// The lines of a playlist: UTF-8 without BOM, each ended by LF, `#EXTM3U` first.
inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  require(text.starts_with("#EXTM3U\n"), "does not start with #EXTM3U", text.substr(0, 20));
  while (!text.empty()) {
    const auto end = text.find('\n');
    require(end != text.npos, "line without end", text);
    const auto line = text.substr(0, end);
    for (const unsigned char c : line) require(c >= 0x20 && c != 0x7f, "control character", line);
    lines.push_back(line);
    text.remove_prefix(end + 1);
  }
  return lines;
}

/// The value of `#TAG:value` if `line` is that tag.
inline std::optional<std::string_view> tag(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return {};
  line.remove_prefix(name.size());
  if (line.empty()) return line;
  if (!line.starts_with(':')) return {};
  return line.substr(1);
}

}  // namespace lookback::test
