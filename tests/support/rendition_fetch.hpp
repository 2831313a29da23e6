#pragma once
#include "tests/support/hls_witness.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/playlist.hpp"

namespace lookback::support {

/// The rendition as it is now, with all it lists.
RenditionLog fetch_all(HttpClient& client, const std::string& url);

}  // namespace lookback::support
