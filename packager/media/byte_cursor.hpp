#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "store/base/bytes.hpp"

namespace lookback::packager {

/// Takes bytes of a peer's record from its front; nothing when there are not enough. Refers to its bytes.
class ByteCursor {
 public:
  explicit ByteCursor(ByteSpan bytes) : rest_(bytes) {}
  std::size_t left() const { return rest_.size(); }
  ByteSpan rest() const { return rest_; }

  std::optional<ByteSpan> take(std::size_t count) {
    if (count > rest_.size()) return std::nullopt;
    const auto front = rest_.first(count);
    rest_ = rest_.subspan(count);
    return front;
  }
  std::optional<unsigned> u8() {
    const auto byte = take(1);
    if (!byte) return std::nullopt;
    return std::to_integer<unsigned>(byte->front());
  }
  std::optional<unsigned> u16() {
    const auto bytes = take(2);
    if (!bytes) return std::nullopt;
    return std::to_integer<unsigned>((*bytes)[0]) << 8 | std::to_integer<unsigned>((*bytes)[1]);
  }
  /// A NAL unit behind its 16-bit length (ISO/IEC 14496-15).
  std::optional<ByteSpan> nal_unit() {
    const auto length = u16();
    if (!length) return std::nullopt;
    return take(*length);
  }

 private:
  ByteSpan rest_;
};

}  // namespace lookback::packager
