#pragma once
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "tests/support/hls_witness.hpp"
#include "tests/support/publisher.hpp"

/// For tests that kill the server.
namespace lookback::support {

/// A publisher that, like OBS, comes back whenever the server is there again.
class Encoder {
 public:
  explicit Encoder(Publish how) : how_(std::move(how)) { restart(); }
  void restart() { process_ = std::make_unique<Publisher>(how_); }
  std::string complaints() const { return process_->err(); }

 private:
  Publish how_;
  std::unique_ptr<Publisher> process_;
};

/// Parts of complete segments that no longer list their parts: those may go (87), their segments may not.
inline std::set<std::string> unlisted_parts(const RenditionLog& log, const MediaPlaylist& now) {
  std::set<std::string> urls;
  for (const auto& [msn, parts] : log.parts()) {
    const auto* segment = now.find(msn);
    if (segment == nullptr || segment->uri.empty() || !segment->parts.empty()) continue;
    for (const auto& part : parts) urls.insert(resolve(log.url, part.uri));
  }
  return urls;
}

}  // namespace lookback::support
