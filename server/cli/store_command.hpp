#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace lookback::server {

/// Adds `store verify|repair|stat|ls DIR` to the command line. When `store` was given, the returned function
/// does it and gives the process's exit code (README, "Look after the store").
std::function<int()> add_store_command(CLI::App& app);

}  // namespace lookback::server
