#pragma once
#include <cstddef>
#include <optional>

#include "store/base/bytes.hpp"

namespace lookback::server::ts {

/// The offset of the next 00 00 01 at or after `from`; `bytes.size()` when there is none.
inline std::size_t find_start_code(ByteSpan bytes, std::size_t from) {
  // A byte above 1 cannot be in a start code: the one after the next but one is looked at next.
  for (std::size_t end = from + 2; end < bytes.size();) {
    const auto byte = std::to_integer<unsigned>(bytes[end]);
    if (byte > 1) {
      end += 3;
    } else if (byte == 0) {
      ++end;
    } else if (bytes[end - 1] == std::byte{0} && bytes[end - 2] == std::byte{0}) {
      return end - 2;
    } else {
      end += 3;
    }
  }
  return bytes.size();
}

/// Takes the first NAL unit of a byte stream (ITU-T H.264 annex B, H.265 annex B) off the front of `stream`,
/// without its start code and the zeros behind it. Empty: there is none.
inline std::optional<ByteSpan> take_nal_unit(ByteSpan& stream) {
  const auto start = find_start_code(stream, 0);
  if (start == stream.size()) {
    stream = {};
    return std::nullopt;
  }
  const auto end = find_start_code(stream, start + 3);
  auto unit = stream.subspan(start + 3, end - start - 3);
  stream = stream.subspan(end);
  while (!unit.empty() && unit.back() == std::byte{0}) unit = unit.first(unit.size() - 1);
  return unit;
}

}  // namespace lookback::server::ts
