#pragma once
#include <filesystem>
#include <stdexcept>
#include <string>

#include "tests/support/process.hpp"

namespace lookback::support {

/// A self-signed certificate for 127.0.0.1 and its key, made by openssl in `folder`; one of the same name is
/// replaced.
struct Certificate {
  std::filesystem::path file, key;

  Certificate(const std::filesystem::path& folder, const std::string& name)
      : file(folder / (name + ".pem")), key(folder / (name + ".key")) {
    const auto made =
        run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1", "-out",
             file.string(), "-keyout", key.string()});
    if (made.exit_code != 0) throw std::runtime_error("openssl: " + made.err);
  }
};

}  // namespace lookback::support
