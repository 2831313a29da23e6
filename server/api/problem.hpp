#pragma once
#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace lookback::server::api {

/// What is wrong with one field of a request.
struct FieldError {
  std::string pointer;  ///< RFC 6901: "/processes/thumbs/interval"; a query parameter's name after "?"
  std::string detail;   ///< the limit, and what to do
};

/// A refusal, as RFC 9457 tells it.
struct Problem {
  unsigned status = 400;
  std::string detail;
  std::vector<FieldError> errors = {};
};

[[noreturn]] inline void throw_exception_from_error(const Problem& problem, const boost::source_location&) {
  throw std::runtime_error("problem: " + problem.detail);
}

/// A value, or why there is none.
template <class T>
using Outcome = boost::system::result<T, Problem>;

/// The refusal for one field.
inline Problem field_problem(unsigned status, std::string pointer, std::string detail) {
  Problem problem{status, pointer + ": " + detail};
  problem.errors.push_back({std::move(pointer), std::move(detail)});
  return problem;
}

}  // namespace lookback::server::api
