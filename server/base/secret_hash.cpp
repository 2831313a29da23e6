#include "server/base/secret_hash.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <span>

namespace lookback::server {

namespace {

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

boost::system::error_code system_error() { return {errno, boost::system::system_category()}; }

/// Written beside and renamed, so that a crash leaves the old file or the new one.
Result<void> write_private(const std::filesystem::path& file, const std::string& text) {
  const auto fresh = std::filesystem::path(file).concat(".new");
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return system_error();
  const auto written = ::write(descriptor, text.data(), text.size());
  const bool kept = written == static_cast<ssize_t>(text.size()) && ::fsync(descriptor) == 0;
  const auto error = system_error();
  ::close(descriptor);
  if (!kept) return error;
  if (::rename(fresh.c_str(), file.c_str()) != 0) return system_error();
  return {};
}

}  // namespace

SecretHash SecretHash::of_secret(std::string_view secret) {
  SecretHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), hash.hash_.data());
  return hash;
}

bool SecretHash::matches(std::string_view secret) const {
  const auto other = of_secret(secret);
  return CRYPTO_memcmp(hash_.data(), other.hash_.data(), hash_.size()) == 0;
}

Result<SecretHash::Opened> SecretHash::open(const std::filesystem::path& file) {
  Opened opened;
  if (std::ifstream in(file); in) {
    std::string text;
    in >> text;
    if (text.size() != opened.hash.hash_.size() * 2)
      return boost::system::errc::make_error_code(boost::system::errc::bad_message);
    for (std::size_t i = 0; i < opened.hash.hash_.size(); ++i) {
      const auto high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
      if (!high || !low) return boost::system::errc::make_error_code(boost::system::errc::bad_message);
      opened.hash.hash_[i] = static_cast<unsigned char>(*high << 4 | *low);
    }
    return opened;
  }
  std::array<unsigned char, 16> random{};
  if (RAND_bytes(random.data(), random.size()) != 1)
    return boost::system::errc::make_error_code(boost::system::errc::io_error);
  opened.fresh_secret = to_hex(random);
  opened.hash = of_secret(*opened.fresh_secret);
  if (auto written = write_private(file, to_hex(opened.hash.hash_) + "\n"); !written) return written.error();
  return opened;
}

}  // namespace lookback::server
