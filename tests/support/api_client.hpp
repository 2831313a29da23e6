#pragma once
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <string>

#include "tests/support/http_client.hpp"

/// The control API as a script uses it.
namespace lookback::support {

struct ApiAnswer {
  int status = 0;
  boost::json::value body;  ///< null: none
  Response response;

  /// A member of the body; throws when there is none.
  const boost::json::value& operator[](const std::string& name) const { return body.as_object().at(name); }
  std::string text(const std::string& name) const { return std::string((*this)[name].as_string()); }
};

/// One connection, without a token: from loopback that is admin. Throws std::runtime_error when an answer is
/// no JSON.
class ApiClient {
 public:
  explicit ApiClient(std::uint16_t port) : client_(port) {}

  ApiAnswer get(const std::string& path) { return send("GET", path); }
  ApiAnswer post(const std::string& path, const std::string& body = {}) { return send("POST", path, body); }
  ApiAnswer patch(const std::string& path, const std::string& body, const Fields& more = {}) {
    return send("PATCH", path, body, more);
  }
  ApiAnswer remove(const std::string& path) { return send("DELETE", path); }
  /// `path`: below /api/v1.
  ApiAnswer send(const std::string& method, const std::string& path, const std::string& body = {},
                 const Fields& more = {});
  /// Asks until the answer is as wanted, or 60 s are over; the last answer.
  ApiAnswer until(const std::string& path, const std::function<bool(const ApiAnswer&)>& wanted);

 private:
  HttpClient client_;
};

}  // namespace lookback::support
