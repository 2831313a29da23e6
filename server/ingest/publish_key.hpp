#pragma once
#include "server/base/secret_hash.hpp"

namespace lookback::server {

/// What a publisher from another machine must know.
using PublishKey = SecretHash;

}  // namespace lookback::server
