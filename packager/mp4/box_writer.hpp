#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/bytes.hpp"

namespace lookback::packager {

/// Appends big-endian fields and boxes (ISO/IEC 14496-12 4.2); a box gets its size when it ends. Belongs to
/// its caller.
class BoxWriter {
 public:
  explicit BoxWriter(std::size_t room = 0) { out_.reserve(room); }

  void u8(std::uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
  }
  void u32(std::uint32_t value) {
    const auto at = out_.size();
    out_.resize(at + 4);
    put(at, value);
  }
  void u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32));
    u32(static_cast<std::uint32_t>(value));
  }
  /// 4 bytes in boxes of version 0, 8 in those of version 1.
  void number(std::uint64_t value, bool wide) { wide ? u64(value) : u32(static_cast<std::uint32_t>(value)); }
  void zeros(std::size_t count) { out_.resize(out_.size() + count); }
  void raw(ByteSpan bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void text(std::string_view text) { raw(as_bytes(text)); }

  std::size_t begin(std::string_view type) {
    const auto at = out_.size();
    u32(0);
    text(type);
    return at;
  }
  std::size_t begin_full(std::string_view type, std::uint32_t version = 0, std::uint32_t flags = 0) {
    const auto at = begin(type);
    u32(version << 24 | flags);
    return at;
  }
  void end(std::size_t box) { put(box, static_cast<std::uint32_t>(out_.size() - box)); }

  void put(std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) out_[at + i] = static_cast<std::byte>(value >> (24 - 8 * i) & 0xFF);
  }
  std::size_t size() const { return out_.size(); }
  std::vector<std::byte> take() { return std::move(out_); }

 private:
  std::vector<std::byte> out_;
};

}  // namespace lookback::packager
