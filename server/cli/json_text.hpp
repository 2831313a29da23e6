#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace lookback::server {

/// A string as JSON (RFC 8259 7). Bytes from 0x80 on pass as they are.
inline std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + "\"";
}

/// Writes one JSON object, member by member. Belongs to its caller.
class JsonObject {
 public:
  JsonObject& text(std::string_view name, std::string_view value) { return raw(name, json_text(value)); }
  template <class Number>
  JsonObject& number(std::string_view name, Number value) {
    return raw(name, fmt::format("{}", value));
  }
  JsonObject& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  template <class List, class ToJson>
  JsonObject& list(std::string_view name, const List& values, const ToJson& to_json) {
    std::string out = "[";
    for (const auto& value : values) out += (out.size() == 1 ? "" : ", ") + to_json(value);
    return raw(name, out + "]");
  }

  std::string take() { return out_ + "}"; }

 private:
  JsonObject& raw(std::string_view name, std::string_view value) {
    out_ += fmt::format("{}{}: {}", out_.size() == 1 ? "" : ", ", json_text(name), value);
    return *this;
  }

  std::string out_ = "{";
};

}  // namespace lookback::server
