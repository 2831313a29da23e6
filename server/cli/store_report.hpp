#pragma once
#include <optional>
#include <string>

#include "store/repair.hpp"
#include "store/survey.hpp"
#include "store/verify.hpp"

/// Results of `lookback store`, for people (several lines) and for programs (one JSON object and a newline).
/// Pure. Sizes in JSON are bytes, times Unix microseconds.
namespace lookback::server {

std::string to_text(const store::VerifyReport& report);
std::string to_json(const store::VerifyReport& report);
std::string to_text(const store::RepairReport& report);
std::string to_json(const store::RepairReport& report);
std::string stat_text(const store::Survey& survey);
std::string stat_json(const store::Survey& survey);
/// All streams, or what is stored of `stream`; nothing when there is no such stream.
std::optional<std::string> list_text(const store::Survey& survey, const std::string& stream);
std::optional<std::string> list_json(const store::Survey& survey, const std::string& stream);

}  // namespace lookback::server
