#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "server/api/options.hpp"
#include "server/api/problem.hpp"
#include "server/base/secret_hash.hpp"

/// Who may use the control API. SECURITY.md explains the rules.
namespace lookback::server::api {

/// What a caller may do; each may all that the one before may.
enum class Role {
  read,     ///< look
  operate,  ///< make, stop and change recordings; change a stream's processes
  admin,    ///< all
};

/// What a request says of its sender.
struct Caller {
  std::string_view authorization, host, origin;
  bool loopback = false;   ///< the connection comes from this machine
  bool forwarded = false;  ///< a proxy says that it has passed it on
};

struct Granted {
  Role role = Role::read;
  bool by_token = false;  ///< so pages of other origins may read the answer: they had to know the token
};

/// Decides on callers. Immutable, thread-safe.
class Access {
 public:
  /// `generated`: the token that the first start made, which opens everything until the configuration has
  /// one.
  Access(const Tokens& tokens, SecretHash generated);

  /// Problems: 401 (no token, or a wrong one), 403 (without a token only pages of this server may ask).
  /// Takes the same time for every wrong token.
  Outcome<Granted> judge(const Caller& caller) const;

 private:
  std::optional<Role> role_of(std::string_view token) const;

  std::optional<SecretHash> admin_, operate_, read_;
  bool configured_ = false;
};

}  // namespace lookback::server::api
