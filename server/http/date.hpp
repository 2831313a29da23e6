#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace lookback::server::http {

/// The Date field (RFC 9110 6.6.1), written anew once a second. One per network thread.
class DateLine {
 public:
  /// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"; valid until the next call. A clock outside the years
  /// 0 to 9999 gives their ends.
  std::string_view at(std::chrono::system_clock::time_point now);

 private:
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  std::array<char, 40> text_{};
  std::size_t size_ = 0;
};

}  // namespace lookback::server::http
