#include "conf/listen_address.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <string>

namespace lookback::conf {
namespace {

bool is_numeric(int family, std::string_view host) {
  in6_addr address{};  // large enough for both families
  return ::inet_pton(family, std::string(host).c_str(), &address) == 1;
}

bool is_host(std::string_view host) {
  if (host.empty() || host == "localhost") return true;
  if (host.find('\0') != std::string_view::npos) return false;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? is_numeric(AF_INET6, host.substr(1, host.size() - 2)) : is_numeric(AF_INET, host);
}

}  // namespace

Result<void> check_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_host(text.substr(0, colon))) return Errc::bad_address;
  const auto port = text.substr(colon + 1);
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number > 65'535) return Errc::bad_port;
  return {};
}

}  // namespace lookback::conf
