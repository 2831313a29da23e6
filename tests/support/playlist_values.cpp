#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "tests/support/playlist.hpp"

namespace lookback::support {

std::string AttributeList::text(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::string() : found->second.text;
}

bool AttributeList::is_quoted(const std::string& name) const {
  const auto found = values.find(name);
  return found != values.end() && found->second.quoted;
}

std::optional<std::uint64_t> AttributeList::integer(const std::string& name) const {
  return parse_integer(text(name));
}
std::optional<Duration> AttributeList::seconds(const std::string& name) const {
  return parse_seconds(text(name));
}

bool AttributeList::operator==(const AttributeList& other) const {
  return std::ranges::equal(values, other.values, [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.text == b.second.text && a.second.quoted == b.second.quoted;
  });
}

std::optional<std::uint64_t> parse_integer(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<Duration> parse_seconds(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto dot = text.find('.');
  const auto whole = parse_integer(text.substr(0, dot));
  if (!whole || *whole > 1'000'000'000) return std::nullopt;
  std::int64_t nanoseconds = 0;
  if (dot != std::string_view::npos) {
    const auto decimals = text.substr(dot + 1);
    const auto value = parse_integer(decimals);
    if (!value || decimals.size() > 9) return std::nullopt;
    nanoseconds = static_cast<std::int64_t>(*value);
    for (auto i = decimals.size(); i < 9; ++i) nanoseconds *= 10;
  }
  const Duration sum = std::chrono::seconds(static_cast<std::int64_t>(*whole)) + Duration(nanoseconds);
  return negative ? -sum : sum;
}

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::optional<std::chrono::sys_time<Duration>> parse_date(std::string_view text) {
  // YYYY-MM-DDTHH:MM:SS[.fraction](Z|+HH:MM|-HH:MM|+HHMM|-HHMM)
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == 'd' ? !digit : text[i] != form[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t count) {
    return static_cast<int>(parse_integer(text.substr(at, count)).value_or(0));
  };
  std::tm parts{};
  parts.tm_year = number(0, 4) - 1900;
  parts.tm_mon = number(5, 2) - 1;
  parts.tm_mday = number(8, 2);
  parts.tm_hour = number(11, 2);
  parts.tm_min = number(14, 2);
  parts.tm_sec = number(17, 2);
  auto rest = text.substr(form.size());
  const auto zone_at = rest.find_first_of("Z+-");
  if (zone_at == std::string_view::npos) return std::nullopt;
  const auto fraction = parse_seconds("0" + std::string(rest.substr(0, zone_at)));
  if (!fraction) return std::nullopt;
  std::string zone(rest.substr(zone_at));
  std::erase(zone, ':');
  std::chrono::minutes offset{0};
  if (zone != "Z") {
    const auto digits = parse_integer(std::string_view(zone).substr(1));
    if (zone.size() != 5 || !digits) return std::nullopt;
    offset = std::chrono::hours(*digits / 100) + std::chrono::minutes(*digits % 100);
    if (zone[0] == '-') offset = -offset;
  }
  return std::chrono::sys_time<Duration>(std::chrono::seconds(::timegm(&parts)) + *fraction - offset);
}

std::string resolve(std::string_view base, std::string_view reference) {
  if (const auto scheme = reference.find("://"); scheme != std::string_view::npos) {
    const auto path = reference.find('/', scheme + 3);
    return path == std::string_view::npos ? "/" : std::string(reference.substr(path));
  }
  if (reference.starts_with('/')) return std::string(reference);
  base = base.substr(0, base.find('?'));
  std::string path(base.substr(0, base.rfind('/') + 1));
  while (reference.starts_with("./") || reference.starts_with("../")) {
    const bool up = reference.starts_with("../");
    reference.remove_prefix(up ? 3 : 2);
    if (up && path.size() > 1) path.erase(path.rfind('/', path.size() - 2) + 1);
  }
  return path.append(reference);
}

}  // namespace lookback::support
