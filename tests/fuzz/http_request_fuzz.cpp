// A request with its body, as a connection reads it: the end of the head, Beast's parser, the body in two
// pieces.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/http/request.hpp"

using namespace lookback::server::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t max_dropped = 256, max_kept = 512;
  if (size == 0) return 0;
  const auto cut = std::size_t{data[0]};
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  HeadScanner scanner(4'096, 1'024);
  if (scanner.scan(bytes) != HeadScanner::State::complete) return 0;
  Request request;
  RequestParser parser(request, max_dropped, max_kept);
  boost::system::error_code ec;
  const auto head = bytes.substr(scanner.skipped(), scanner.size() - scanner.skipped());
  (void)parser.put(boost::asio::buffer(head), ec);
  if (RequestParser::refusal(ec) != 0) return 0;
  auto body = bytes.substr(scanner.size());
  for (auto window = std::min(cut, body.size()); !parser.is_done() && window > 0;) {
    const auto taken = parser.put(boost::asio::buffer(body.data(), window), ec);
    if (RequestParser::refusal(ec) != 0) return 0;
    body.remove_prefix(taken);
    if (window == body.size() + taken && taken == 0) break;  // all there is, and it does not suffice
    window = body.size();
  }
  if (request.body.size() > max_kept) std::abort();
  if (!request.takes_body() && !request.body.empty()) std::abort();
  return 0;
}
