#include "server/pictures/errc.hpp"

#include <string>

namespace lookback::server::pictures {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "lookback.pictures"; }

  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bad_message:
        return "a message between server and picture worker is malformed";
      case Errc::no_picture:
        return "no picture could be decoded";
      case Errc::too_large:
        return "the picture is larger than pictures.max_pixels";
      case Errc::unsupported:
        return "the codec is not decoded here";
      case Errc::crashed:
        return "the picture worker died";
      case Errc::timed_out:
        return "the picture worker took too long";
      case Errc::cannot_start:
        return "a picture worker cannot be started";
      case Errc::skipped:
        return "skipped, as too many pictures are being made";
      case Errc::shutting_down:
        return "the server is stopping";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& category() {
  static const Category instance;
  return instance;
}

boost::system::error_code make_error_code(Errc e) { return {static_cast<int>(e), category()}; }

}  // namespace lookback::server::pictures
