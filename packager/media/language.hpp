#pragma once
#include <string>
#include <string_view>

namespace lookback::packager {

/// A language, as the standards and people name it.
struct Language {
  std::string terminological;  ///< ISO 639-2/T: "deu"; "und": not told
  std::string tag;             ///< RFC 5646 2.2.1, the shortest code: "de"; "und"
  std::string name;            ///< in English; one that has no two-letter code is named by its code
};

/// Of an ISO 639-2 code in lower case, bibliographic ("ger") or terminological ("deu"), as ISO_639_language
/// descriptors have it. Empty: not told.
Language language_of(std::string_view code);

}  // namespace lookback::packager
