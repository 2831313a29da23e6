// The client's half of HTTP/1.1, as far as the benchmarks need it: answers with a Content-Length.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

struct Head {
  int status = 0;
  std::size_t size = 0;    // of the header with its empty line
  std::size_t length = 0;  // of the body
};

/// The header at the start of `data`; nothing while it is not complete.
inline std::optional<Head> parse_head(std::string_view data) {
  const auto end = data.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  std::string text(data.substr(0, end + 2));
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  Head head{.size = end + 4};
  if (text.starts_with("http/1.1 ")) head.status = std::atoi(text.c_str() + 9);
  constexpr std::string_view name = "\r\ncontent-length:";
  const auto field = text.find(name);
  if (field != std::string::npos)
    head.length = std::strtoull(text.c_str() + field + name.size(), nullptr, 10);
  return head;
}

/// Reads headers of which most are the same as the last one: those are compared, not parsed.
class HeadMemory {
 public:
  /// As `parse_head`.
  std::optional<Head> parse(std::string_view data) {
    if (!text_.empty() && data.starts_with(text_)) return head_;
    const auto head = parse_head(data);
    if (head) {
      head_ = *head;
      text_ = data.substr(0, head->size);
    }
    return head;
  }

 private:
  std::string text_;
  Head head_;
};

/// The address in "127.0.0.1:8080".
inline sockaddr_in address_of(const std::string& text) {
  const auto colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
  if (colon == std::string::npos ||
      inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error("no address: " + text);
  }
  return address;
}

inline std::string get_request(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: bench\r\n\r\n";
}

}  // namespace bench
