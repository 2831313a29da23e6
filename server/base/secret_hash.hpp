#pragma once
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/result.hpp"

namespace lookback::server {

/// A secret (a publishing key, a token), kept as its SHA-256. Immutable value.
class SecretHash {
 public:
  static SecretHash of_secret(std::string_view secret);
  /// Compares in constant time.
  bool matches(std::string_view secret) const;

  struct Opened;
  /// Reads the hash from `file`, or makes a random 128-bit secret and writes its hash there (mode 0600).
  /// Blocking. Errors: the system's; bad_message when the file is not such a hash.
  static Result<Opened> open(const std::filesystem::path& file);

 private:
  std::array<unsigned char, 32> hash_{};
};

struct SecretHash::Opened {
  SecretHash hash;
  std::optional<std::string> fresh_secret;  ///< to be shown once: it cannot be read again
};

}  // namespace lookback::server
