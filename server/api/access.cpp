#include "server/api/access.hpp"

#include <algorithm>
#include <cctype>

namespace lookback::server::api {
namespace {

std::optional<SecretHash> hash_of(const std::string& secret) {
  if (secret.empty()) return std::nullopt;
  return SecretHash::of_secret(secret);
}

/// The token of "Bearer TOKEN" (RFC 6750 2.1); empty: another scheme.
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  if (authorization.size() <= scheme.size() ||
      !std::equal(scheme.begin(), scheme.end(), authorization.begin(),
                  [&](char b, char a) { return same(a, b); }))
    return {};
  authorization.remove_prefix(scheme.size());
  authorization.remove_prefix(std::min(authorization.size(), authorization.find_first_not_of(' ')));
  return authorization;
}

/// Whether Host names this machine by an address or a name that no foreign DNS answers for: a page that has
/// its own name resolve to 127.0.0.1 sends that name.
bool is_local_host(std::string_view host) {
  const auto port = host.starts_with('[') ? host.find(']') + 1 : host.find(':');
  const auto name = host.substr(0, port);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]";
}

bool is_same_origin(std::string_view origin, std::string_view host) {
  constexpr std::string_view scheme = "http://";
  return origin.starts_with(scheme) && origin.substr(scheme.size()) == host;
}

}  // namespace

Access::Access(const Tokens& tokens, SecretHash generated)
    : admin_(hash_of(tokens.admin)), operate_(hash_of(tokens.operate)), read_(hash_of(tokens.read)) {
  configured_ = tokens.any();
  if (!configured_) admin_ = generated;
}

std::optional<Role> Access::role_of(std::string_view token) const {
  // All are compared, whatever the first says.
  const bool is_admin = admin_ && admin_->matches(token);
  const bool is_operate = operate_ && operate_->matches(token);
  const bool is_read = read_ && read_->matches(token);
  if (is_admin) return Role::admin;
  if (is_operate) return Role::operate;
  if (is_read) return Role::read;
  return std::nullopt;
}

Outcome<Granted> Access::judge(const Caller& caller) const {
  if (!caller.authorization.empty()) {
    const auto token = bearer(caller.authorization);
    if (token.empty()) return Problem{401, "Authorization must be: Bearer TOKEN"};
    const auto role = role_of(token);
    if (!role) return Problem{401, "this token opens nothing here; check it"};
    return Granted{*role, true};
  }
  if (configured_ || !caller.loopback || caller.forwarded) {
    return Problem{401,
                   "send Authorization: Bearer TOKEN; without one only this machine itself may ask, and only "
                   "while no token is configured"};
  }
  if (!is_local_host(caller.host)) {
    return Problem{403, "without a token the server must be addressed as localhost, 127.0.0.1 or [::1]"};
  }
  if (!caller.origin.empty() && !is_same_origin(caller.origin, caller.host)) {
    return Problem{403, "pages of another origin need a token: Authorization: Bearer TOKEN"};
  }
  return Granted{Role::admin, false};
}

}  // namespace lookback::server::api
