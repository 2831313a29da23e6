#pragma once
#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "store/base/result.hpp"

namespace lookback::server {

/// A certificate with its key, as TLS listeners present it: TLS 1.2 and later, read anew at will.
/// Thread-safe.
class TlsIdentity {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;

  /// PEM files; the certificate's chain may follow it in its file.
  TlsIdentity(std::filesystem::path certificate, std::filesystem::path key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  /// Reads both files. On an error a line in the log names the file and what is wrong with it. Blocking.
  /// Errors: bad_certificate.
  Result<Context> read() const;
  /// What connections after this use.
  void use(Context context);
  /// Both at once; on an error nothing has changed.
  Result<void> load();
  /// For one connection, which keeps it. After a `load` that succeeded.
  Context context() const;

 private:
  const std::filesystem::path certificate_, key_;
  mutable std::mutex mutex_;  ///< guards context_
  Context context_;
};

}  // namespace lookback::server
