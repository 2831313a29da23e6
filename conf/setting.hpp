#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// One key of the configuration: its name, what it takes, and where the value goes. Everything else (the
/// file, the environment, flags, printing, suggestions) works from lists of these.
namespace lookback::conf {

/// A value as it came in, before its key's type is applied. `Other` names a TOML type that no key takes.
struct Other {
  std::string_view type;
};
using Raw = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>, Other>;

/// A value of the key's type: flag; count, bytes or parts per million; duration; text; texts.
using Value =
    std::variant<bool, std::uint64_t, std::chrono::microseconds, std::string, std::vector<std::string>>;

enum class Kind { flag, count, size, share, duration, text, choice, address, addresses };

/// What a key takes. Limits are in the kind's own unit (count, bytes, parts per million, microseconds,
/// characters).
struct Type {
  Kind kind = Kind::text;
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::int64_t>::max();
  std::uint64_t step = 1;        ///< values are multiples of it: what the field can hold
  std::string_view zero_word{};  ///< "all", "none", "auto": how 0 is written; limits do not apply to it
  std::vector<std::string_view> choices{};
};

struct Converted {
  std::optional<Value> value;
  std::string complaint;  ///< what is wrong and what to write instead; when there is no value
};

/// Applies a key's type to a value from the file.
Converted convert(const Type& type, const Raw& raw);
/// Reads the text of an environment variable or a flag as the type's Raw; lists are separated by commas.
Raw raw_from_text(const Type& type, std::string_view text);
/// The value as TOML (and, as it happens, JSON) text that `convert` reads back as the same value.
std::string show(const Type& type, const Value& value);
/// A string in double quotes, escaped so that TOML and JSON read it alike.
std::string in_quotes(std::string_view text);

/// One key. `Target` is what holds the value: Config, or server::StreamSettings for keys of a stream.
template <class Target>
struct Setting {
  std::string name;  ///< "http.listen"; of a stream: "replay.duration"
  Type type;
  std::function<void(Target&, const Value&)> assign;
  std::function<Value(const Target&)> read;
  std::string_view absent;  ///< not empty: why this build has no use for the value
  bool secret = false;      ///< never printed
  bool live = false;        ///< a reload changes it in the running server
};

}  // namespace lookback::conf
