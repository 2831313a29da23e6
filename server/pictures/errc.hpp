#pragma once
#include <boost/system/error_code.hpp>

namespace lookback::server::pictures {

/// Why there is no picture.
enum class Errc {
  bad_message = 1,  ///< between server and worker
  no_picture,       ///< the stored bytes cannot be decoded
  too_large,        ///< the source has more pixels than pictures.max_pixels
  unsupported,      ///< the codec cannot be decoded here
  crashed,          ///< the worker died: of a signal, or out of memory
  timed_out,        ///< the worker was killed: pictures.max_time or pictures.max_cpu
  cannot_start,     ///< a worker cannot be started
  skipped,          ///< too much to do; or it has waited for pictures.max_wait
  shutting_down,
};

const boost::system::error_category& category();
boost::system::error_code make_error_code(Errc e);

}  // namespace lookback::server::pictures

template <>
struct boost::system::is_error_code_enum<lookback::server::pictures::Errc> : std::true_type {};
