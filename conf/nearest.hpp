#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lookback::conf {

/// Edits (insertion, deletion, substitution, swap of neighbours) between two names; compared to at most
/// 64 bytes of each, so that a hostile key costs no more than a long one.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `name` was most likely meant to be: at most a third of its letters (at least 2) are
/// wrong. Empty when none is that near.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates);

}  // namespace lookback::conf
