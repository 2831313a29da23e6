#pragma once
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>

namespace lookback::server::archive {

/// Why a request cannot be answered, for a problem document (RFC 9457): our own text, which names the
/// parameter, its limit and what to do, without quotes and without anything of the request.
struct Problem {
  unsigned status = 400;
  std::string detail;
};

[[noreturn]] inline void throw_exception_from_error(const Problem& problem, const boost::source_location&) {
  throw std::logic_error(problem.detail);
}

template <class T>
using Answer = boost::system::result<T, Problem>;

}  // namespace lookback::server::archive
