#include "conf/setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "conf/listen_address.hpp"
#include "conf/units.hpp"

namespace lookback::conf {
namespace {

using std::chrono::microseconds;

std::string_view example(const Type& type) {
  switch (type.kind) {
    case Kind::flag:
      return "true or false";
    case Kind::count:
      return "a whole number such as 1000";
    case Kind::size:
      return "a size in quotes such as \"50MiB\"";
    case Kind::share:
      return "a share in quotes such as \"1%\" or \"100ppm\"";
    case Kind::duration:
      return "a duration in quotes such as \"10s\" or \"334ms\"";
    case Kind::text:
      return "a text in quotes";
    case Kind::choice:
      return "one of the words";
    case Kind::address:
      return "an address such as \":8080\" or \"127.0.0.1:0\"";
    case Kind::addresses:
      return "a list of addresses such as [\":8890\"]";
  }
  return "";
}

std::string number_text(const Type& type, std::uint64_t value) {
  if (type.kind == Kind::duration) return format_duration(microseconds(static_cast<std::int64_t>(value)));
  if (type.kind == Kind::size) return format_size(value);
  if (type.kind == Kind::share) return format_share(value);
  return std::to_string(value);
}

std::string allowed(const Type& type) {
  auto text = fmt::format("{} to {}", number_text(type, type.min), number_text(type, type.max));
  if (!type.zero_word.empty()) text += fmt::format(", or \"{}\"", type.zero_word);
  return text;
}

Converted complain(std::string text) { return {std::nullopt, std::move(text)}; }

std::string_view type_name(const Raw& raw) {
  struct Namer {
    std::string_view operator()(bool) const { return "true or false"; }
    std::string_view operator()(std::int64_t) const { return "a number"; }
    std::string_view operator()(double) const { return "a decimal number"; }
    std::string_view operator()(const std::string&) const { return "a text"; }
    std::string_view operator()(const std::vector<std::string>&) const { return "a list"; }
    std::string_view operator()(const Other& other) const { return other.type; }
  };
  return std::visit(Namer{}, raw);
}

Converted wrong_type(const Type& type, const Raw& raw) {
  auto text = fmt::format("needs {}, not {}", example(type), type_name(raw));
  const auto* number = std::get_if<std::int64_t>(&raw);
  if (number != nullptr && type.kind == Kind::duration)
    text += fmt::format("; for seconds write \"{}s\"", *number);
  if (number != nullptr && type.kind == Kind::share)
    text += fmt::format("; for percent write \"{}%\"", *number);
  if (number != nullptr && type.kind == Kind::size) text += fmt::format("; for bytes write \"{}B\"", *number);
  return complain(std::move(text));
}

Converted in_range(const Type& type, std::string_view written, std::uint64_t value) {
  if (value < type.min || value > type.max) {
    return complain(fmt::format("{} is {} the limit; allowed is {}", written,
                                value < type.min ? "below" : "above", allowed(type)));
  }
  if (value % type.step != 0) {
    return complain(fmt::format("{} must be a multiple of {}", written, number_text(type, type.step)));
  }
  if (type.kind == Kind::duration) return {microseconds(static_cast<std::int64_t>(value)), {}};
  return {value, {}};
}

bool is_zero_word(const Type& type, const Raw& raw) {
  const auto* text = std::get_if<std::string>(&raw);
  return text != nullptr && !type.zero_word.empty() && *text == type.zero_word;
}

Converted convert_count(const Type& type, const Raw& raw) {
  if (is_zero_word(type, raw)) return {std::uint64_t{0}, {}};
  const auto* number = std::get_if<std::int64_t>(&raw);
  if (number == nullptr) return wrong_type(type, raw);
  if (*number < 0)
    return complain(fmt::format("{} is below the limit; allowed is {}", *number, allowed(type)));
  return in_range(type, std::to_string(*number), static_cast<std::uint64_t>(*number));
}

Converted convert_quantity(const Type& type, const Raw& raw) {
  if (is_zero_word(type, raw)) {
    return type.kind == Kind::duration ? Converted{microseconds(0), {}} : Converted{std::uint64_t{0}, {}};
  }
  const auto* text = std::get_if<std::string>(&raw);
  if (text == nullptr) return wrong_type(type, raw);
  std::uint64_t value = 0;
  boost::system::error_code error;
  if (type.kind == Kind::duration) {
    const auto parsed = parse_duration(*text);
    if (parsed)
      value = static_cast<std::uint64_t>(parsed->count());
    else
      error = parsed.error();
  } else {
    const auto parsed = type.kind == Kind::share ? parse_share(*text) : parse_size(*text);
    if (parsed)
      value = *parsed;
    else
      error = parsed.error();
  }
  if (error) {
    return complain(fmt::format("{} {}; write {}{}", in_quotes(*text), error.message(), example(type),
                                type.zero_word.empty() ? "" : fmt::format(", or \"{}\"", type.zero_word)));
  }
  return in_range(type, in_quotes(*text), value);
}

Converted convert_text(const Type& type, const Raw& raw) {
  const auto* text = std::get_if<std::string>(&raw);
  if (text == nullptr) return wrong_type(type, raw);
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(text->begin(), text->end(), is_control))
    return complain("must not hold control characters");
  if (text->size() < type.min) return complain(text->empty() ? "must not be empty" : "is too short");
  if (text->size() > type.max) {
    return complain(fmt::format("has {} characters; at most {} are allowed", text->size(), type.max));
  }
  return {*text, {}};
}

Converted convert_choice(const Type& type, const Raw& raw) {
  const auto* text = std::get_if<std::string>(&raw);
  const auto words = fmt::format("\"{}\"", fmt::join(type.choices, "\", \""));
  if (text == nullptr) return complain(fmt::format("needs one of {}, not {}", words, type_name(raw)));
  const auto found = std::find(type.choices.begin(), type.choices.end(), *text);
  if (found == type.choices.end())
    return complain(fmt::format("{} is not one of {}", in_quotes(*text), words));
  return {*text, {}};
}

/// A stream behind an address, as in ":8891/live/cam", is checked by the listener that takes it.
std::string_view without_stream(std::string_view address) { return address.substr(0, address.find('/')); }

Converted convert_addresses(const Type& type, const Raw& raw) {
  std::vector<std::string> list;
  if (const auto* text = std::get_if<std::string>(&raw))
    list = {*text};
  else if (const auto* texts = std::get_if<std::vector<std::string>>(&raw))
    list = *texts;
  else
    return wrong_type(type, raw);
  if (type.kind == Kind::address && !std::holds_alternative<std::string>(raw)) return wrong_type(type, raw);
  if (list.size() > 64) return complain("lists more than 64 addresses");
  for (const auto& address : list) {
    const auto checked =
        check_listen_address(type.kind == Kind::addresses ? without_stream(address) : address);
    if (!checked) return complain(fmt::format("{} {}", in_quotes(address), checked.error().message()));
  }
  if (type.kind == Kind::address) return {list.front(), {}};
  return {std::move(list), {}};
}

}  // namespace

Converted convert(const Type& type, const Raw& raw) {
  switch (type.kind) {
    case Kind::flag:
      if (const auto* flag = std::get_if<bool>(&raw)) return {*flag, {}};
      return wrong_type(type, raw);
    case Kind::count:
      return convert_count(type, raw);
    case Kind::size:
    case Kind::share:
    case Kind::duration:
      return convert_quantity(type, raw);
    case Kind::text:
      return convert_text(type, raw);
    case Kind::choice:
      return convert_choice(type, raw);
    case Kind::address:
    case Kind::addresses:
      return convert_addresses(type, raw);
  }
  return wrong_type(type, raw);
}

Raw raw_from_text(const Type& type, std::string_view text) {
  if (type.kind == Kind::flag) {
    if (text == "true") return true;
    if (text == "false") return false;
  }
  if (type.kind == Kind::count) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
  }
  if (type.kind == Kind::addresses) {
    std::vector<std::string> list;
    for (auto rest = text; !rest.empty();) {
      const auto item = rest.substr(0, rest.find(','));
      list.emplace_back(item);
      rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    }
    return list;
  }
  return std::string(text);
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\u{:04x}", byte);
    else
      out += c;
  }
  return out += '"';
}

std::string show(const Type& type, const Value& value) {
  struct Shower {
    const Type& type;
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::uint64_t number) const {
      if (number == 0 && !type.zero_word.empty()) return in_quotes(type.zero_word);
      const bool is_quantity = type.kind == Kind::size || type.kind == Kind::share;
      return is_quantity ? in_quotes(number_text(type, number)) : std::to_string(number);
    }
    std::string operator()(microseconds duration) const {
      if (duration.count() == 0 && !type.zero_word.empty()) return in_quotes(type.zero_word);
      return in_quotes(format_duration(duration));
    }
    std::string operator()(const std::string& text) const { return in_quotes(text); }
    std::string operator()(const std::vector<std::string>& texts) const {
      std::vector<std::string> items;
      for (const auto& text : texts) items.push_back(in_quotes(text));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
  };
  return std::visit(Shower{type}, value);
}

}  // namespace lookback::conf
