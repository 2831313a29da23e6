#pragma once
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace lookback {

/// What a function returns that can fail for a reason outside the program: a value, or the
/// `error_code` of the layer that noticed. Pass errors up with `if (!x) return x.error();`; the base
/// also takes every layer's enum: `return Errc::x;`.
/// Immutable value; no thread rules.
template <class T>
class [[nodiscard]] Result : public boost::system::result<T> {
 public:
  using boost::system::result<T>::result;
};

}  // namespace lookback
