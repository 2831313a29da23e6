#include <spdlog/spdlog.h>

#include <array>
#include <optional>

#include "server/api/routes.hpp"

namespace lookback::server::api {
namespace {

/// A pattern's last step may be ID (one component) or NAME (a stream's name, one to three); after an ID a
/// fixed one may follow.
struct Route {
  Verb verb;
  std::string_view pattern;
  Role role;
  Outcome<Reply> (*handle)(const Services&, const Call&);
};

constexpr std::array routes{
    Route{Verb::get, "recordings", Role::read, list_recordings},
    Route{Verb::post, "recordings", Role::operate, create_recording},
    Route{Verb::get, "recordings/ID", Role::read, show_recording},
    Route{Verb::patch, "recordings/ID", Role::operate, change_recording},
    Route{Verb::remove, "recordings/ID", Role::operate, delete_recording},
    Route{Verb::post, "recordings/ID/stop", Role::operate, stop_recording},
    Route{Verb::get, "streams", Role::read, list_streams},
    Route{Verb::get, "streams/NAME", Role::read, show_stream},
    Route{Verb::patch, "streams/NAME", Role::operate, change_stream},
    Route{Verb::remove, "streams/NAME", Role::admin, delete_stream},
    Route{Verb::get, "storage", Role::read, show_storage},
    Route{Verb::post, "config/reload", Role::admin, reload_config},
};

std::string_view name_of(Verb verb) {
  constexpr std::array<std::string_view, 5> names{"GET", "POST", "PUT", "PATCH", "DELETE"};
  return names[static_cast<std::size_t>(verb)];
}

std::string_view name_of(Role role) {
  constexpr std::array<std::string_view, 3> names{"read", "operate", "admin"};
  return names[static_cast<std::size_t>(role)];
}

/// The variable part of `path`; empty text when the pattern has none; nothing when it does not fit.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) {
  const auto id = pattern.find("/ID"), name = pattern.find("/NAME");
  if (id == std::string_view::npos && name == std::string_view::npos) {
    if (pattern != path) return std::nullopt;
    return std::string_view();
  }
  const auto head = pattern.substr(0, std::min(id, name) + 1);
  if (!path.starts_with(head) || path.size() == head.size()) return std::nullopt;
  path.remove_prefix(head.size());
  if (name != std::string_view::npos) return path;
  const auto tail = pattern.substr(id + 3);
  if (!path.ends_with(tail)) return std::nullopt;
  path.remove_suffix(tail.size());
  if (path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

}  // namespace

Outcome<Reply> Api::handle(Call call) const {
  std::string allowed;
  for (const auto& route : routes) {
    const auto variable = match(route.pattern, call.path);
    if (!variable) continue;
    if (route.verb != call.verb) {
      allowed.append(allowed.empty() ? "" : ", ").append(name_of(route.verb));
      continue;
    }
    if (call.role < route.role) {
      return Problem{403, "this takes a token of the role " + std::string(name_of(route.role))};
    }
    call.resource = std::string(*variable);
    auto reply = route.handle(services_, call);
    if (call.verb != Verb::get) {
      spdlog::info("api: {} {} by {}: {}", name_of(call.verb), call.path, name_of(call.role),
                   reply ? reply->status : reply.error().status);
    }
    return reply;
  }
  if (allowed.empty())
    return Problem{404, "the API has no such route; see /api/v1/streams and /api/v1/recordings"};
  return Problem{405, "this route takes " + allowed};
}

}  // namespace lookback::server::api
