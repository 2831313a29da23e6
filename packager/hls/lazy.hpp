#pragma once
#include <mutex>
#include <utility>

namespace lookback::packager::hls {

/// A value that is made by whoever asks first and kept. Thread-safe; others wait for the first.
template <class T>
class Lazy {
 public:
  template <class Make>
  const T& get(Make&& make) const {
    std::call_once(once_, [&] { value_ = std::forward<Make>(make)(); });
    return value_;
  }

 private:
  mutable std::once_flag once_;
  mutable T value_{};
};

}  // namespace lookback::packager::hls
