// A body of the control API: what is taken is an object without a key twice, and its fields are read.
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/api/json.hpp"
#include "server/api/query.hpp"

using namespace lookback::server::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto query = Query::parse(text)) {
    (void)take_page(*query);
    (void)query->time("created_from", 0, 0);
    (void)query->finish();
  }
  const auto body = parse_object(text);
  if (!body) return 0;
  const auto again = parse_object(boost::json::serialize(*body));
  // Not compared: Boost.JSON 1.83 rounds numbers of many digits a little differently each time.
  if (!again || again->size() != body->size()) std::abort();
  std::vector<FieldError> errors;
  Fields fields(*body, "", errors);
  (void)fields.text("name", 0, 100);
  (void)fields.time("start", 0);
  (void)fields.seconds("duration", 1, 60);
  (void)fields.flag("locked");
  (void)fields.object("retention");
  fields.finish();
  for (const auto& error : errors) {
    if (!error.pointer.starts_with('/')) std::abort();
  }
  return 0;
}
