#include "server/base/tls_identity.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <spdlog/spdlog.h>

#include <boost/asio/ssl/error.hpp>
#include <fstream>

#include "server/errc.hpp"

namespace lookback::server {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

/// OpenSSL calls most that is wrong with a file "no start line": whether it can be read at all is asked
/// first.
error_code readable(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream in(file);
  if (in.get() != std::ifstream::traits_type::eof()) return {};
  if (errno != 0) return {errno, boost::system::system_category()};
  return make_error_code(boost::system::errc::no_message_available);
}

/// OpenSSL compares a key with the certificate that is there already.
bool is_mismatch(const error_code& ec) {
  if (ec.category() != boost::asio::error::get_ssl_category()) return false;
  const auto reason = ERR_GET_REASON(static_cast<unsigned long>(ec.value()));
  return reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
}

/// False: it cannot be used, which has been logged.
template <class Use>
bool take(const char* what, const std::filesystem::path& file, Use use_it) {
  error_code ec = readable(file);
  if (!ec) use_it(ec);
  if (ec) spdlog::error("{} {}: {}", what, file.string(), ec.message());
  return !ec;
}

}  // namespace

Result<TlsIdentity::Context> TlsIdentity::read() const {
  auto fresh = std::make_shared<ssl::context>(ssl::context::tls_server);
  auto* native = fresh->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  const bool has_certificate = take("certificate", certificate_, [&](error_code& ec) {
    fresh->use_certificate_chain_file(certificate_.string(), ec);
  });
  if (!has_certificate) return Errc::bad_certificate;
  bool strange = false;
  const bool has_key = take("private key", key_, [&](error_code& ec) {
    fresh->use_private_key_file(key_.string(), ssl::context::pem, ec);
    strange = is_mismatch(ec);
    if (strange) ec = make_error_code(Errc::bad_certificate);
  });
  if (strange) spdlog::error("this key does not belong to the certificate {}", certificate_.string());
  if (!has_key) return Errc::bad_certificate;
  return fresh;
}

void TlsIdentity::use(Context context) {
  const std::lock_guard lock(mutex_);
  context_ = std::move(context);
}

Result<void> TlsIdentity::load() {
  auto fresh = read();
  if (!fresh) return fresh.error();
  use(std::move(*fresh));
  return {};
}

TlsIdentity::Context TlsIdentity::context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

}  // namespace lookback::server
