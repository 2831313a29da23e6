#include "server/versions.hpp"

#include <openssl/crypto.h>
#include <spdlog/version.h>

#include <boost/version.hpp>

#include "packager/versions.hpp"
#include "server/ingest/srt/socket.hpp"
#include "store/versions.hpp"

namespace lookback::server {

std::string lookback_version() { return LOOKBACK_VERSION; }

std::string library_versions() {
  std::string boost = BOOST_LIB_VERSION;  // "1_83"
  for (auto& c : boost) {
    if (c == '_') c = '.';
  }
  return "lookback " + lookback_version() + "\nBoost " + boost + "\n" + OpenSSL_version(OPENSSL_VERSION) +
         "\nspdlog " + std::to_string(SPDLOG_VER_MAJOR) + "." + std::to_string(SPDLOG_VER_MINOR) + "." +
         std::to_string(SPDLOG_VER_PATCH) + "\n" + srt::library_version() + "\n" +
         packager::library_versions() + store::library_versions();
}

}  // namespace lookback::server
