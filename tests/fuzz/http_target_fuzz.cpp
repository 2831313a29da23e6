#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/http/target.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool allowed_in_component(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

/// Whatever is accepted holds what `Target` promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using lookback::server::http::Target;
  constexpr std::size_t max_query_bytes = 64;
  if (size >= 0x10000) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = lookback::server::http::parse_target(text, max_query_bytes);
  if (!target) return 0;

  require(target->components() <= Target::max_components);
  std::size_t path_size = target->components() == 0 ? 1 : 0;
  for (std::size_t i = 0; i < target->components(); ++i) {
    const auto component = target->component(i);
    require(!component.empty() && component.front() != '.');
    for (const char c : component) require(allowed_in_component(c));
    path_size += component.size() + 1;
  }
  require(target->path().size() == path_size);
  require(target->prefix(target->components()).size() + 1 == path_size || target->components() == 0);

  require(target->foreign().size() <= max_query_bytes);
  for (const auto carried : {target->foreign(), target->query()}) {
    for (const char c : carried)
      require(c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '#');
  }
  const auto foreign = target->foreign();
  require(!foreign.starts_with("_HLS_") && foreign.find("&_HLS_") == std::string_view::npos);
  const auto& directives = target->directives();
  require(!directives.part || directives.msn || !directives.wrong.empty());
  return 0;
}
