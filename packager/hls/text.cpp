#include "packager/hls/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace lookback::packager::hls {
namespace {

/// `number` with at least `width` digits.
void append_padded(std::string& out, std::uint64_t number, std::size_t width) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  if (size < width) out.append(width - size, '0');
  out.append(digits.data(), size);
}

}  // namespace

std::int64_t to_us(std::int64_t ticks, std::uint32_t timescale) {
  const std::int64_t scale = timescale;
  auto seconds = ticks / scale;
  auto rest = ticks % scale;
  if (rest < 0) {
    --seconds;
    rest += scale;
  }
  return seconds * 1'000'000 + (rest * 1'000'000 + scale / 2) / scale;
}

void append_number(std::string& out, std::uint64_t number) { append_padded(out, number, 1); }

void append_duration(std::string& out, std::int64_t us) {
  append_number(out, static_cast<std::uint64_t>(us / 1'000'000));
  out.append(1, '.');
  append_padded(out, static_cast<std::uint64_t>(us % 1'000'000), 6);
}

void append_seconds(std::string& out, std::int64_t us) {
  append_duration(out, us);
  while (out.ends_with('0') && !out.ends_with(".0")) out.pop_back();
}

void append_date_time(std::string& out, std::int64_t us) {
  using namespace std::chrono;
  const sys_time<milliseconds> time(floor<milliseconds>(microseconds(us + 500)));
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::array<char, 24> text;
  std::copy_n("0000-00-00T00:00:00.000Z", text.size(), text.begin());
  const auto put = [&](std::size_t at, std::size_t width, auto number) {
    auto rest = static_cast<std::uint64_t>(number);
    for (auto digit = at + width; digit-- > at; rest /= 10) text[digit] = static_cast<char>('0' + rest % 10);
  };
  put(0, 4, static_cast<int>(date.year()));
  put(5, 2, static_cast<unsigned>(date.month()));
  put(8, 2, static_cast<unsigned>(date.day()));
  put(11, 2, clock.hours().count());
  put(14, 2, clock.minutes().count());
  put(17, 2, clock.seconds().count());
  put(20, 3, clock.subseconds().count());
  out.append(text.data(), text.size());
}

std::string with_query(std::string_view playlist, std::string_view query) {
  constexpr std::string_view attribute = "URI=\"";
  std::string out;
  out.reserve(playlist.size() * 2);
  while (!playlist.empty()) {
    const auto line = playlist.substr(0, playlist.find('\n'));
    playlist.remove_prefix(std::min(playlist.size(), line.size() + 1));
    auto uri_end = line.size();
    if (line.starts_with('#')) {
      const auto uri = line.find(attribute);
      uri_end = uri == line.npos ? line.npos : line.find('"', uri + attribute.size());
    } else if (line.empty()) {
      uri_end = line.npos;
    }
    const auto before = line.substr(0, uri_end);
    out.append(before);
    if (uri_end != line.npos) {
      out.append(1, before.find('?') == before.npos ? '?' : '&').append(query).append(line.substr(uri_end));
    }
    out.append(1, '\n');
  }
  return out;
}

std::string fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  std::string out(16, '0');
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit, hash >>= 4)
    *digit = "0123456789abcdef"[hash & 15];
  return out;
}

}  // namespace lookback::packager::hls
