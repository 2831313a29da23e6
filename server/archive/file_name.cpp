#include "server/archive/file_name.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "server/archive/time_grammar.hpp"

namespace lookback::server::archive {

constexpr std::int64_t second_us = 1'000'000;

std::string file_time(std::int64_t us) {
  auto text = time_text(us - us % second_us);
  text.erase(std::remove(text.begin(), text.end(), ':'), text.end());
  return text.substr(0, text.find('.')) + "Z";
}

std::string file_duration(std::int64_t us) {
  const auto seconds = std::max<std::int64_t>(1, (us + second_us / 2) / second_us);
  std::string text;
  if (seconds >= 3'600) text += fmt::format("{}h", seconds / 3'600);
  if (seconds % 3'600 >= 60) text += fmt::format("{}m", seconds % 3'600 / 60);
  if (seconds % 60 != 0) text += fmt::format("{}s", seconds % 60);
  return text;
}

}  // namespace lookback::server::archive
