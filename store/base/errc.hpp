#pragma once
#include <boost/system/error_code.hpp>

namespace lookback::store {

/// What can go wrong in the store for a reason outside the program.
enum class Errc {
  in_use = 1,       ///< another process has the store open
  newer_format,     ///< written by a newer Lookback
  not_a_store,      ///< the folder holds something else
  read_only,        ///< the file system does not take writes
  io_error,         ///< the operating system refused a read, write or sync
  reserve_reached,  ///< writing would eat into the disk space kept free (store.reserve) or pass
                    ///< store.max_size
  queue_full,       ///< the writer is behind by more than store.max_queue
  not_found,        ///< no such stream, segment or extent
  damaged,          ///< bytes do not match their checksum, or a record cannot be decoded
  closed,           ///< the store is shutting down
};

const boost::system::error_category& store_category();
boost::system::error_code make_error_code(Errc e);

}  // namespace lookback::store

template <>
struct boost::system::is_error_code_enum<lookback::store::Errc> : std::true_type {};
