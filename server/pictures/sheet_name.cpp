#include "server/pictures/sheet_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/sheet_record.hpp"

namespace lookback::server::pictures {
namespace {

constexpr std::size_t generation_size = 4, hash_digits = 8;

/// Takes a name apart from the left. After the first piece that is not there nothing is.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  void literal(std::string_view text) {
    if (!left_.starts_with(text)) return fail();
    left_.remove_prefix(text.size());
  }
  std::string generation() {
    const auto text = left_.substr(0, generation_size);
    const auto allowed = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
    if (text.size() != generation_size || !std::all_of(text.begin(), text.end(), allowed)) fail();
    left_.remove_prefix(text.size());
    return std::string(text);
  }
  /// Canonical: no leading zero.
  template <class Number>
  Number number() {
    Number value{};
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), value);
    const auto size = static_cast<std::size_t>(end - left_.data());
    const bool canonical = size > 0 && (size == 1 || left_.front() != '0') && left_.front() != '-';
    if (error != std::errc() || !canonical) fail();
    left_.remove_prefix(std::min(size, left_.size()));
    return value;
  }
  std::uint32_t hash() {
    const auto text = left_.substr(0, hash_digits);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    const bool whole = error == std::errc() && end == text.data() + hash_digits;
    if (!whole || fmt::format("{:08x}", value) != text) fail();
    left_.remove_prefix(text.size());
    return value;
  }
  std::uint32_t interval_ms() {
    const auto value = number<std::uint32_t>();
    if (left_.starts_with("ms")) {
      left_.remove_prefix(2);
      if (value % 1'000 == 0) fail();
      return value;
    }
    if (value == 0 || value > 1'000'000) fail();
    return value * 1'000;
  }
  bool has(char next) const { return left_.starts_with(next); }
  bool done() const { return good_ && left_.empty(); }

 private:
  void fail() {
    good_ = false;
    left_ = {};
  }
  std::string_view left_;
  bool good_ = true;
};

}  // namespace

std::string interval_text(std::uint32_t interval_ms) {
  return interval_ms % 1'000 == 0 ? fmt::format("{}", interval_ms / 1'000) : fmt::format("{}ms", interval_ms);
}

std::string to_text(const SheetName& name) {
  const auto open =
      name.open ? fmt::format(".{}-{:08x}", name.open->cells, name.open->pictures) : std::string();
  return fmt::format("sheet-{}-{}-{}-{}{}.jpg", name.generation, name.width, interval_text(name.interval_ms),
                     name.number, open);
}

std::string images_name(std::uint32_t width, std::uint32_t interval_ms) {
  return fmt::format("images-{}-{}.m3u8", width, interval_text(interval_ms));
}

std::optional<SheetName> parse_sheet_name(std::string_view leaf) {
  Reader in(leaf);
  SheetName name;
  in.literal("sheet-");
  name.generation = in.generation();
  in.literal("-");
  name.width = in.number<std::uint32_t>();
  in.literal("-");
  name.interval_ms = in.interval_ms();
  in.literal("-");
  name.number = in.number<std::uint64_t>();
  in.literal(".");
  if (!in.has('j')) {
    SheetName::Open open;
    open.cells = in.number<std::uint32_t>();
    in.literal("-");
    open.pictures = in.hash();
    in.literal(".");
    if (open.cells == 0 || open.cells > store::sheet_cells) return {};
    name.open = open;
  }
  in.literal("jpg");
  return in.done() ? std::optional(name) : std::nullopt;
}

std::optional<TileName> parse_tile_name(std::string_view leaf) {
  Reader in(leaf);
  TileName name;
  in.literal("tile-");
  name.generation = in.generation();
  in.literal("-");
  name.width = in.number<std::uint32_t>();
  in.literal("-");
  name.msn = in.number<std::uint64_t>();
  in.literal(".jpg");
  return in.done() ? std::optional(name) : std::nullopt;
}

std::optional<ImagesName> parse_images_name(std::string_view leaf) {
  Reader in(leaf);
  ImagesName name;
  in.literal("images-");
  name.width = in.number<std::uint32_t>();
  in.literal("-");
  name.interval_ms = in.interval_ms();
  in.literal(".m3u8");
  return in.done() ? std::optional(name) : std::nullopt;
}

}  // namespace lookback::server::pictures
