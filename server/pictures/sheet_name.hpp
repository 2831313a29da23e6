#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Names of preview pictures, the last component of their URLs. Pure; fuzzed.
namespace lookback::server::pictures {

/// `sheet-k3f9-160-10-17645123.jpg`: the full sheet of that number, of an interval of 10 s.
/// `sheet-k3f9-160-10-17645123.37-09af31c2.jpg`: its first 37 cells, while it grows; the last number says
/// which pictures are in them, so that neither name ever means other bytes.
struct SheetName {
  struct Open {
    std::uint32_t cells = 0, pictures = 0;
    bool operator==(const Open&) const = default;
  };
  std::string generation;
  std::uint32_t width = 0;
  std::uint32_t interval_ms = 0;
  std::uint64_t number = 0;
  std::optional<Open> open;
  bool operator==(const SheetName&) const = default;
};

/// `tile-k3f9-160-123.jpg`: the key picture of segment 123, in a cell.
struct TileName {
  std::string generation;
  std::uint32_t width = 0;
  std::uint64_t msn = 0;
};

/// `images-160-10.m3u8`: the image playlist.
struct ImagesName {
  std::uint32_t width = 0;
  std::uint32_t interval_ms = 0;
};

/// `10`, or `12500ms` where it is no whole number of seconds.
std::string interval_text(std::uint32_t interval_ms);
std::string to_text(const SheetName& name);
std::string images_name(std::uint32_t width, std::uint32_t interval_ms);

/// Exactly the names above: canonical numbers that fit. Empty for anything else.
std::optional<SheetName> parse_sheet_name(std::string_view leaf);
std::optional<TileName> parse_tile_name(std::string_view leaf);
std::optional<ImagesName> parse_images_name(std::string_view leaf);

}  // namespace lookback::server::pictures
