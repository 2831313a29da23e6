#include "tests/support/rendition_fetch.hpp"

#include <stdexcept>

namespace lookback::support {

RenditionLog fetch_all(HttpClient& client, const std::string& url) {
  RenditionLog log;
  log.url = url;
  log.track = url.substr(url.rfind('/') + 1, 2);
  auto answer = client.get(url);
  if (answer.status != 200) throw std::runtime_error(url + ": status " + std::to_string(answer.status));
  auto list = parse_media_playlist(answer.text());
  for (const auto& segment : list.all()) {
    std::vector<std::string> uris{segment.map};
    for (const auto& part : segment.parts) uris.push_back(part.uri);
    if (!segment.uri.empty() && !segment.gap) uris.push_back(segment.uri);
    for (const auto& uri : uris) {
      const auto path = resolve(url, uri);
      if (!log.resources.contains(path))
        log.resources[path] = {.url = path, .listed = Clock::now(), .response = client.get(path)};
    }
  }
  log.snapshots.push_back({url, std::move(answer), std::move(list)});
  return log;
}

}  // namespace lookback::support
