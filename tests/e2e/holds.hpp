#pragma once
#include <catch2/catch_test_macros.hpp>

#include "tests/support/live_session.hpp"

namespace lookback::support {

/// No playlist, update or media of any recorded stream breaks the rule, and there was enough to see.
inline void check_holds(int rule) {
  const auto& session = LiveSession::instance();
  REQUIRE(session.snapshots() > 500);
  const auto found = of_rule(session.violations(), rule);
  INFO(describe(found));
  CHECK(found.empty());
}

}  // namespace lookback::support
