#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lookback::support {

/// Big-endian numbers from a box. Reading past the end throws std::runtime_error.
class Mp4Reader {
 public:
  explicit Mp4Reader(std::string_view bytes) : bytes_(bytes) {}

  [[noreturn]] static void fail(const std::string& what) { throw std::runtime_error("mp4: " + what); }

  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const char c : take(size)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::string text(std::size_t size) { return std::string(take(size)); }
  void skip(std::size_t size) { take(size); }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) fail("truncated");
    const auto taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
};

}  // namespace lookback::support
