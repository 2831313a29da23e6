#include "conf/errc.hpp"

#include <string>

namespace lookback::conf {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "lookback.conf"; }

  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::not_a_number:
        return "does not start with a number";
      case Errc::missing_unit:
        return "has no unit";
      case Errc::unknown_unit:
        return "has an unknown unit";
      case Errc::units_out_of_order:
        return "must go from larger to smaller units, each once";
      case Errc::too_fine:
        return "is not a whole number of the smallest unit";
      case Errc::too_large:
        return "is too large to be represented";
      case Errc::bad_address:
        return "is not \":PORT\", \"IPV4:PORT\", \"[IPV6]:PORT\" or \"localhost:PORT\"";
      case Errc::bad_port:
        return "has a port that is not a number from 0 to 65535";
      case Errc::bad_pattern:
        return "is neither a stream name nor a pattern";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& conf_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc e) { return {static_cast<int>(e), conf_category()}; }

}  // namespace lookback::conf
