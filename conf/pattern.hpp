#pragma once
#include <cstddef>
#include <string_view>

#include "conf/errc.hpp"
#include "store/base/result.hpp"

/// Which streams a `[streams."name-or-glob"]` section is about.
/// `?` stands for one character, `*` for any number, both within one part of the name; `**` also passes "/".
namespace lookback::conf {

/// At most 200 bytes, made of "/", stream-name characters, `?` and `*`, without empty parts.
/// Errors: bad_pattern.
Result<void> check_pattern(std::string_view pattern);

/// Whether it may cover more than one stream.
bool is_glob(std::string_view pattern);

/// Whether `pattern` covers the whole of `stream`. Pure; time is bounded by the product of their lengths.
bool matches(std::string_view pattern, std::string_view stream);

/// Orders sections: the larger wins. An exact name outranks every glob; among globs the one with more
/// literal characters does.
std::size_t specificity(std::string_view pattern);

}  // namespace lookback::conf
