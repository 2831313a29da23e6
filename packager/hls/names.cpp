#include "packager/hls/names.hpp"

#include <algorithm>
#include <charconv>

#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

constexpr std::size_t generation_size = 4;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_track(std::string_view text) {
  if (text.size() < 2 || text.size() > 3) return false;
  if (text[0] != 'v' && text[0] != 'a') return false;
  return std::all_of(text.begin() + 1, text.end(), is_digit);
}

bool is_generation(std::string_view text) {
  const auto allowed = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); };
  return text.size() == generation_size && std::all_of(text.begin(), text.end(), allowed);
}

/// A canonical decimal number: digits only, no leading zero, no overflow.
template <class T>
std::optional<T> number(std::string_view text) {
  if (text.empty() || !is_digit(text[0]) || (text.size() > 1 && text[0] == '0')) return {};
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

void append_prefix(std::string& out, std::string_view track, std::string_view generation) {
  out.append(track).append(1, '-').append(generation).append(1, '-');
}

/// `123` or `123.4`
std::optional<Name> media_name(Name name, std::string_view numbers) {
  const auto dot = numbers.find('.');
  const auto msn = number<std::uint64_t>(numbers.substr(0, dot));
  if (!msn) return {};
  name.kind = Name::Kind::segment;
  name.number = *msn;
  if (dot == numbers.npos) return name;
  const auto part = number<std::uint32_t>(numbers.substr(dot + 1));
  if (!part) return {};
  name.kind = Name::Kind::part;
  name.part = *part;
  return name;
}

}  // namespace

void append_init_name(std::string& out, std::string_view track, std::string_view generation,
                      std::uint32_t init) {
  append_prefix(out, track, generation);
  out.append("init");
  append_number(out, init);
  out.append(".mp4");
}

void append_segment_name(std::string& out, std::string_view track, std::string_view generation,
                         std::uint64_t msn) {
  append_prefix(out, track, generation);
  append_number(out, msn);
  out.append(".m4s");
}

void append_part_name(std::string& out, std::string_view track, std::string_view generation,
                      std::uint64_t msn, std::uint32_t part) {
  append_prefix(out, track, generation);
  append_number(out, msn);
  out.append(1, '.');
  append_number(out, part);
  out.append(".m4s");
}

std::string playlist_name(std::string_view track) { return std::string(track).append(".m3u8"); }

std::string iframes_name(std::string_view track) { return std::string(track).append("-iframes.m3u8"); }

std::string init_name(std::string_view track, std::string_view generation, std::uint32_t init) {
  std::string out;
  append_init_name(out, track, generation, init);
  return out;
}

std::string segment_name(std::string_view track, std::string_view generation, std::uint64_t msn) {
  std::string out;
  append_segment_name(out, track, generation, msn);
  return out;
}

std::string part_name(std::string_view track, std::string_view generation, std::uint64_t msn,
                      std::uint32_t part) {
  std::string out;
  append_part_name(out, track, generation, msn, part);
  return out;
}

std::optional<Name> parse_name(std::string_view leaf) {
  Name name;
  if (take_suffix(leaf, ".m3u8")) {
    if (take_suffix(leaf, "-iframes")) name.kind = Name::Kind::iframes;
    name.track = leaf;
    const bool has_it = name.kind == Name::Kind::playlist || leaf.starts_with('v');
    return has_it && is_track(leaf) ? std::optional(name) : std::nullopt;
  }
  const auto dash = leaf.find('-');
  if (dash == leaf.npos) return {};
  name.track = leaf.substr(0, dash);
  leaf.remove_prefix(dash + 1);
  name.generation = leaf.substr(0, generation_size);
  if (!is_track(name.track) || !is_generation(name.generation)) return {};
  leaf.remove_prefix(generation_size);
  if (!take_prefix(leaf, "-")) return {};
  if (take_suffix(leaf, ".m4s")) return media_name(name, leaf);
  if (!take_suffix(leaf, ".mp4") || !take_prefix(leaf, "init")) return {};
  const auto id = number<std::uint32_t>(leaf);
  if (!id) return {};
  name.kind = Name::Kind::init;
  name.number = *id;
  return name;
}

}  // namespace lookback::packager::hls
