#include "server/http/target.hpp"

#include <boost/system/error_category.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

#include "server/archive/view_request.hpp"

namespace lookback::server::http {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "lookback.http.target"; }
  std::string message(int value) const override {
    switch (static_cast<TargetErrc>(value)) {
      case TargetErrc::malformed:
        return "malformed request-target";
      case TargetErrc::no_such_path:
        return "no resource has such a path";
      case TargetErrc::query_too_long:
        return "query too long";
    }
    return "unknown";
  }
};

bool allowed_in_component(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

/// Decimal digits only; nothing for an empty text, a sign, or a number that does not fit.
template <class Number>
std::optional<Number> parse_decimal(std::string_view text) {
  Number value{};
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c - 'A' + 10;
}

constexpr std::string_view reserved_prefix = "_HLS_";
constexpr std::string_view msn_name = "_HLS_msn", part_name = "_HLS_part", skip_name = "_HLS_skip";
enum Seen : unsigned { seen_msn = 1, seen_part = 2, seen_skip = 4 };

}  // namespace

boost::system::error_code make_error_code(TargetErrc e) {
  static const Category category;
  return {static_cast<int>(e), category};
}

std::string_view Target::component(std::size_t i) const {
  return std::string_view(path_).substr(starts_[i], starts_[i + 1] - starts_[i] - 1u);
}

std::string_view Target::prefix(std::size_t count) const {
  if (count == 0) return {};
  return std::string_view(path_).substr(1, starts_[count] - 2u);
}

/// `encoded` is grammatical: it starts with '/' and every '%' stands before two hexadecimal digits.
Result<void> Target::take_path(std::string_view encoded) {
  path_.reserve(encoded.size());
  path_ = '/';
  for (std::size_t i = 1; i < encoded.size(); ++i) {
    char c = encoded[i];
    const bool at_start = path_.back() == '/';
    if (at_start && count_ == max_components) return TargetErrc::no_such_path;
    if (at_start) starts_[count_++] = static_cast<std::uint16_t>(path_.size());
    if (c == '/') {
      if (at_start) return TargetErrc::no_such_path;
    } else {
      if (c == '%') {
        c = static_cast<char>(hex_value(encoded[i + 1]) << 4 | hex_value(encoded[i + 2]));
        i += 2;
      }
      if (!allowed_in_component(c) || (at_start && c == '.')) return TargetErrc::no_such_path;
    }
    path_ += c;
  }
  if (count_ > 0 && path_.back() == '/') return TargetErrc::no_such_path;
  starts_[count_] = static_cast<std::uint16_t>(path_.size() + 1);
  return {};
}

void Target::take_directive(std::string_view name, std::string_view value) {
  const auto note = [&](Seen bit, std::string_view own_name, bool valid) {
    if (!valid || (seen_ & bit)) directives_.wrong = own_name;
    seen_ |= bit;
  };
  if (name == msn_name) {
    directives_.msn = parse_decimal<std::uint64_t>(value);
    note(seen_msn, msn_name, directives_.msn.has_value());
  } else if (name == part_name) {
    directives_.part = parse_decimal<std::uint32_t>(value);
    note(seen_part, part_name, directives_.part.has_value());
  } else if (name == skip_name) {
    directives_.skip = value == "YES" || value == "v2";
    note(seen_skip, skip_name, true);
  }
}

/// `encoded` holds only characters of RFC 3986's query.
Result<void> Target::take_query(std::string_view encoded, std::size_t max_query_bytes) {
  query_ = encoded;
  for (std::string_view rest = query_; !rest.empty();) {
    const auto end = rest.find('&');
    const auto parameter = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (parameter.empty()) continue;
    const auto equals = parameter.find('=');
    const auto name = parameter.substr(0, equals);
    if (name.starts_with(reserved_prefix)) {
      take_directive(name,
                     equals == std::string_view::npos ? std::string_view{} : parameter.substr(equals + 1));
      continue;
    }
    auto& kind = archive::is_own_parameter(name) ? own_ : foreign_;
    if (!kind.empty()) kind += '&';
    kind += parameter;
    if (foreign_.size() > max_query_bytes) return TargetErrc::query_too_long;
  }
  if (directives_.part && !directives_.msn && directives_.wrong.empty()) directives_.wrong = part_name;
  return {};
}

Result<Target> parse_target(std::string_view text, std::size_t max_query_bytes) {
  const auto url =
      text.starts_with('/') ? boost::urls::parse_origin_form(text) : boost::urls::parse_absolute_uri(text);
  if (!url) return TargetErrc::malformed;
  const bool absolute_form = url->has_scheme();
  if (absolute_form && (!url->has_authority() || (url->scheme() != "http" && url->scheme() != "https"))) {
    return TargetErrc::malformed;
  }
  Target target;
  const std::string_view path = url->encoded_path();
  if (const auto taken = target.take_path(path.empty() ? "/" : path); !taken) return taken.error();
  if (url->has_query()) {
    const std::string_view query = url->encoded_query();
    if (const auto taken = target.take_query(query, max_query_bytes); !taken) return taken.error();
  }
  return target;
}

}  // namespace lookback::server::http
