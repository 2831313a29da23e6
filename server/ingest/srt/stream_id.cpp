#include "server/ingest/srt/stream_id.hpp"

#include <algorithm>
#include <optional>

#include "server/errc.hpp"
#include "server/ingest/publish_target.hpp"

namespace lookback::server::srt {
namespace {

constexpr std::string_view access_control = "#!::";
constexpr std::string_view default_app = "live";
constexpr std::size_t max_bytes = 512;  // SRTO_STREAMID

/// The text up to the first `mark`, which goes as well.
std::string_view take_until(std::string_view& rest, char mark) {
  const auto end = rest.find(mark);
  const auto front = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return front;
}

/// A name, or a name and its key, as users paste it.
StreamRequest named(std::string_view text) {
  const auto path = text.substr(0, text.find('?'));
  const bool has_app = path.find('/') != std::string_view::npos;
  auto target = parse_publish_target(has_app ? std::string_view{} : default_app, {}, text);
  return {std::move(target.stream), std::move(target.key), {}, target.backup, std::move(target.rendition)};
}

Result<void> check_mode(std::string_view mode) {
  if (mode == "publish") return {};
  for (const auto other : {"request", "play", "read", "bidirectional"}) {
    if (mode == other) return Errc::bad_mode;
  }
  return Errc::bad_stream_id;
}

/// The fields that mean something here (SRT Access Control, "Standard keys"; Blackmagic's bmd_name; our own).
struct Fields {
  std::optional<std::string_view> r, m, u, s, t, h, bmd_name, backup;

  std::optional<std::string_view>* find(std::string_view name) {
    if (name == "r") return &r;
    if (name == "m") return &m;
    if (name == "u") return &u;
    if (name == "s") return &s;
    if (name == "t") return &t;
    if (name == "h") return &h;
    if (name == "backup") return &backup;
    return name == "bmd_name" ? &bmd_name : nullptr;
  }
};

/// Empty: malformed, or a field of these twice.
std::optional<Fields> read_fields(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    auto field = take_until(text, ',');
    if (field.empty()) continue;
    if (field.find('=') == std::string_view::npos) return std::nullopt;
    const auto name = take_until(field, '=');
    auto* known = fields.find(name);
    if (!known) continue;
    if (*known) return std::nullopt;
    *known = field;
  }
  return fields;
}

Result<StreamRequest> by_access_control(std::string_view text) {
  const auto fields = read_fields(text);
  if (!fields) return Errc::bad_stream_id;
  // Encoders that only publish leave the mode out.
  if (fields->m) {
    if (auto mode = check_mode(*fields->m); !mode) return mode.error();
  }
  if (fields->t.value_or("stream") != "stream") return Errc::bad_stream_id;
  const auto resource = fields->r.value_or("");
  const auto user = fields->u.value_or("");
  if (resource.empty() && user.empty()) return Errc::bad_stream_id;
  auto request = named(resource.empty() ? user : resource);
  if (const auto secret = fields->s.value_or(""); !secret.empty()) request.key = secret;
  request.encoder = fields->bmd_name.value_or("");
  if (fields->backup) request.backup = *fields->backup == "1";
  return request;
}

bool is_colon_form(std::string_view text) {
  const auto mark = text.find_first_of(":?");
  return mark != std::string_view::npos && text[mark] == ':';
}

/// MODE:NAME[:USER:SECRET]
Result<StreamRequest> by_colons(std::string_view text) {
  if (auto mode = check_mode(take_until(text, ':')); !mode) return mode.error();
  if (text.empty()) return Errc::bad_stream_id;
  if (text.find('?') != std::string_view::npos) return named(text);
  auto request = named(take_until(text, ':'));
  if (text.empty()) return request;
  if (std::ranges::count(text, ':') != 1) return Errc::bad_stream_id;
  take_until(text, ':');  // the user: secrets open streams, not names
  request.key = text;
  return request;
}

}  // namespace

Result<StreamRequest> parse_stream_id(std::string_view stream_id, std::string_view fixed) {
  if (stream_id.size() > max_bytes) return Errc::bad_stream_id;
  if (stream_id.empty()) {
    if (fixed.empty()) return Errc::no_stream;
    return named(fixed);
  }
  if (stream_id.starts_with(access_control))
    return by_access_control(stream_id.substr(access_control.size()));
  if (stream_id.starts_with('#')) return Errc::bad_stream_id;  // another syntax of that standard
  if (is_colon_form(stream_id)) return by_colons(stream_id);
  return named(stream_id);
}

}  // namespace lookback::server::srt
