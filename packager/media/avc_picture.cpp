#include "packager/media/avc_picture.hpp"

namespace lookback::packager {

bool holds_idr(ByteSpan access_unit, std::size_t length_size) {
  constexpr unsigned type_mask = 0x1f, idr_slice = 5;
  while (access_unit.size() > length_size) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < length_size; ++i) {
      length = length << 8 | std::to_integer<std::size_t>(access_unit[i]);
    }
    access_unit = access_unit.subspan(length_size);
    if (length > access_unit.size()) return false;
    if (length > 0 && (std::to_integer<unsigned>(access_unit[0]) & type_mask) == idr_slice) return true;
    access_unit = access_unit.subspan(length);
  }
  return false;
}

}  // namespace lookback::packager
