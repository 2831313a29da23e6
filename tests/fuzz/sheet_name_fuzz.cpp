#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/pictures/sheet_name.hpp"

// Names of preview pictures: what is read is what would be written, so that one picture has one name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lookback::server::pictures;
  const std::string_view leaf(reinterpret_cast<const char*>(data), size);
  if (const auto name = parse_sheet_name(leaf); name && to_text(*name) != leaf) std::abort();
  if (const auto name = parse_images_name(leaf); name && images_name(name->width, name->interval_ms) != leaf)
    std::abort();
  (void)parse_tile_name(leaf);
  return 0;
}
