#include "server/base/log_gate.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback::server;
using namespace std::chrono_literals;

TEST_CASE("lines beyond the bound of a period are counted and the next line tells how many", "[log_gate]") {
  LogGate gate(2, 1s);
  const LogGate::Clock::time_point start(1h);
  CHECK(gate.pass(start) == 0u);
  CHECK(gate.pass(start + 10ms) == 0u);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(gate.pass(start + 20ms).has_value());
  CHECK(gate.pass(start + 1s) == 5u);
  CHECK(gate.pass(start + 1s) == 0u);
  CHECK_FALSE(gate.pass(start + 1999ms).has_value());
}
