#include "store/base/errc.hpp"

#include <string>

namespace lookback::store {
namespace {

const char* text_of(Errc e) {
  switch (e) {
    case Errc::in_use:
      return "the store is in use by another process: stop it, or set another store.path";
    case Errc::newer_format:
      return "the store was written by a newer Lookback: run that version, or set another store.path";
    case Errc::not_a_store:
      return "the folder holds something else than a store: set store.path to an empty folder";
    case Errc::read_only:
      return "the store cannot be written: the file system is read-only, or the user lacks permission";
    case Errc::io_error:
      return "the operating system refused a read, write or sync of the store: check the disk and its log";
    case Errc::reserve_reached:
      return "no room within store.reserve and store.max_size: free disk space, or change them";
    case Errc::queue_full:
      return "the disk is behind by more than store.max_queue: media is not kept until it catches up";
    case Errc::not_found:
      return "the store has no such stream, segment or extent";
    case Errc::damaged:
      return "the store is damaged: keep a copy of the folder, then run `lookback store repair DIR`";
    case Errc::closed:
      return "the store is shutting down";
  }
  return "unknown store error";
}

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "store"; }
  std::string message(int value) const override { return text_of(static_cast<Errc>(value)); }
};

}  // namespace

const boost::system::error_category& store_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc e) { return {static_cast<int>(e), store_category()}; }

}  // namespace lookback::store
