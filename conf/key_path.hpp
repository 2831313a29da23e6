#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lookback::conf {

using KeyPath = std::vector<std::string>;

/// "a.b" and `streams."live/news".part`, as TOML writes dotted keys. Empty when malformed.
std::optional<KeyPath> parse_key_path(std::string_view text);

/// "a.b", with quotes around parts that need them.
std::string join(const KeyPath& path, std::size_t from = 0);

/// LOOKBACK_HTTP_LISTEN for "http.listen".
std::string environment_name(std::string_view key);

}  // namespace lookback::conf
