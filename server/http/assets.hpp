#pragma once
#include <span>
#include <string_view>

namespace lookback::server::http {

/// A file of the web part, built into the binary (cmake/web.cmake). Static storage.
struct Asset {
  std::string_view path;  ///< "/assets/watch-3f9a.js", "/watch.html"
  std::string_view content_type;
  std::string_view body;
  std::string_view gzip;  ///< the same, gzipped at build time; empty when that would be larger
  std::string_view etag;  ///< quoted, strong
  bool immutable;         ///< the name carries a hash of the content
};

/// All of them, by path. Defined by the generated part of the build.
std::span<const Asset> web_assets();

}  // namespace lookback::server::http
