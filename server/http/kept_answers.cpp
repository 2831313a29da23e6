#include "server/http/kept_answers.hpp"

namespace lookback::server::http {

/// Valid until the next call.
std::string_view KeptAnswers::key_of(std::string_view path, std::string_view query) {
  key_.assign(path).append(1, '?').append(query);
  return key_;
}

bool KeptAnswers::find(std::string_view path, std::string_view query, Response& response) {
  if (answers_.empty()) return false;
  const auto found = answers_.find(key_of(path, query));
  if (found == answers_.end()) return false;
  const auto& kept = found->second;
  if (Clock::now() >= kept.until) {
    bytes_ -= kept.body.size();
    answers_.erase(found);
    return false;
  }
  response.content_type = kept.content_type;
  response.etag = kept.etag;
  response.caching = kept.caching;
  response.body = Chain{kept.body};
  return true;
}

void KeptAnswers::keep(std::string_view path, std::string_view query, const Response& response) {
  const auto* chain = std::get_if<Chain>(&response.body);
  const bool fits =
      response.status == 200 && chain && chain->size() == 1 && chain->front().size() <= max_bytes / 8;
  if (!fits) return;
  const auto& body = chain->front();
  if (answers_.size() >= max_answers || bytes_ + body.size() > max_bytes) {
    answers_.clear();
    bytes_ = 0;
  }
  const auto [place, added] = answers_.try_emplace(
      std::string(key_of(path, query)),
      Kept{response.content_type, response.etag, response.caching, body, Clock::now() + life});
  if (added) bytes_ += body.size();
}

}  // namespace lookback::server::http
