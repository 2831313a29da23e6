#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/http/response.hpp"
#include "server/live/hub.hpp"

namespace lookback::server::http {

/// Answers of one network thread that every client gets alike: small immutable bodies that are settled. They
/// are looked up by what was asked for, so that who asks for the same picture again costs what a file costs.
/// Kept for a second: what has been deleted is gone after that. Belongs to its network thread.
class KeptAnswers {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds life{1};
  static constexpr std::size_t max_answers = 1'024;    ///< at once; all go when there are more
  static constexpr std::size_t max_bytes = 16u << 20;  ///< of their bodies, which the picture cache may share

  /// Fills `response`. False: there is none.
  bool find(std::string_view path, std::string_view query, Response& response);
  /// Keeps a 200 whose body is one slice; others are not kept.
  void keep(std::string_view path, std::string_view query, const Response& response);

 private:
  struct Kept {
    std::string_view content_type;
    std::string etag;
    Caching caching;
    Slice body;
    Clock::time_point until;
  };

  std::string_view key_of(std::string_view path, std::string_view query);

  StringMap<Kept> answers_;
  std::size_t bytes_ = 0;
  std::string key_;  ///< reused
};

}  // namespace lookback::server::http
