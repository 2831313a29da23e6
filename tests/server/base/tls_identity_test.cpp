#include "server/base/tls_identity.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "server/errc.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback;
using namespace lookback::server;
using support::Certificate;

TEST_CASE("a certificate and its key are read, and read again", "[tls]") {
  const support::TempDir folder;
  const Certificate good(folder.path(), "good");
  TlsIdentity identity(good.file, good.key);
  CHECK(identity.context() == nullptr);
  REQUIRE(identity.load().has_value());
  const auto first = identity.context();
  REQUIRE(first != nullptr);
  REQUIRE(identity.load().has_value());
  CHECK(identity.context() != first);
}

TEST_CASE("files that are missing, empty, no PEM, or do not match are refused, and the old ones stay",
          "[tls]") {
  const support::TempDir folder;
  const Certificate good(folder.path(), "good"), other(folder.path(), "other");
  const auto text = folder.path() / "text.pem", empty = folder.path() / "empty.pem";
  std::ofstream(text) << "not a certificate\n";
  std::ofstream{empty};
  const auto missing = folder.path() / "missing.pem";
  struct Case {
    std::filesystem::path certificate, key;
  };
  for (const auto& [certificate, key] :
       {Case{missing, good.key}, Case{good.file, missing}, Case{text, good.key}, Case{good.file, text},
        Case{empty, good.key}, Case{good.file, empty}, Case{good.file, other.key},
        Case{folder.path(), good.key}}) {
    CAPTURE(certificate, key);
    CHECK(TlsIdentity(certificate, key).load().error() == Errc::bad_certificate);
  }

  TlsIdentity identity(good.file, good.key);
  REQUIRE(identity.load().has_value());
  const auto before = identity.context();
  std::filesystem::copy_file(text, good.file, std::filesystem::copy_options::overwrite_existing);
  CHECK_FALSE(identity.load().has_value());
  CHECK(identity.context() == before);
}
