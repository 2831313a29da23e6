#pragma once
#include <boost/system/error_code.hpp>

namespace lookback::conf {

/// What can be wrong with one value of the configuration. The messages complete "KEY: TEXT".
enum class Errc {
  not_a_number = 1,  ///< no digits where a number must be
  missing_unit,      ///< "10" where only "10s" or "10MiB" says what is meant
  unknown_unit,
  units_out_of_order,  ///< "30s1h"
  too_fine,            ///< "0.1us", "0.3B": not a whole number of the smallest unit
  too_large,           ///< does not fit into 63 bits of microseconds or bytes
  bad_address,         ///< not ":PORT", "IPV4:PORT", "[IPV6]:PORT" or "localhost:PORT"
  bad_port,
  bad_pattern,  ///< neither a stream name nor a glob over stream names
};

const boost::system::error_category& conf_category();
boost::system::error_code make_error_code(Errc e);

}  // namespace lookback::conf

template <>
struct boost::system::is_error_code_enum<lookback::conf::Errc> : std::true_type {};
