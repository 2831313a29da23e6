#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "conf/setting.hpp"

/// Makes Settings out of a name, a field and limits; only the files that list settings need it.
namespace lookback::conf {

template <class T>
inline constexpr bool is_chrono = false;
template <class Rep, class Period>
inline constexpr bool is_chrono<std::chrono::duration<Rep, Period>> = true;

/// `Field` is a callable that returns a reference to the field in a `Target&` or `const Target&`.
template <class Target>
class SettingBuilder {
 public:
  template <class Field>
  static Setting<Target> flag(std::string name, Field field) {
    return make(std::move(name), Type{.kind = Kind::flag}, field, convert_as<bool>);
  }

  template <class Field>
  static Setting<Target> count(std::string name, std::uint64_t min, std::uint64_t max, Field field) {
    return make(std::move(name), Type{.kind = Kind::count, .min = min, .max = max}, field,
                convert_as<std::uint64_t>);
  }

  /// Limits in bytes.
  template <class Field>
  static Setting<Target> size(std::string name, std::uint64_t min, std::uint64_t max, Field field) {
    return make(std::move(name), Type{.kind = Kind::size, .min = min, .max = max}, field,
                convert_as<std::uint64_t>);
  }

  /// The field, and limits, in parts per million.
  template <class Field>
  static Setting<Target> share(std::string name, std::uint64_t min, std::uint64_t max, Field field) {
    return make(std::move(name), Type{.kind = Kind::share, .min = min, .max = max}, field,
                convert_as<std::uint64_t>);
  }

  /// The field is a chrono duration, or an integer of microseconds.
  template <class Field>
  static Setting<Target> duration(std::string name, std::chrono::microseconds min,
                                  std::chrono::microseconds max, Field field) {
    using Held = std::remove_cvref_t<decltype(field(std::declval<Target&>()))>;
    Type type{.kind = Kind::duration,
              .min = static_cast<std::uint64_t>(min.count()),
              .max = static_cast<std::uint64_t>(max.count())};
    if constexpr (is_chrono<Held>) {
      type.step = static_cast<std::uint64_t>(std::chrono::microseconds(Held(1)).count());
    }
    return make(std::move(name), std::move(type), field, convert_as<std::chrono::microseconds>);
  }

  /// `max` in bytes of text.
  template <class Field>
  static Setting<Target> text(std::string name, std::uint64_t min, std::uint64_t max, Field field) {
    return make(std::move(name), Type{.kind = Kind::text, .min = min, .max = max}, field,
                convert_as<std::string>);
  }

  template <class Field>
  static Setting<Target> choice(std::string name, std::vector<std::string_view> choices, Field field) {
    return make(std::move(name), Type{.kind = Kind::choice, .choices = std::move(choices)}, field,
                convert_as<std::string>);
  }

  template <class Field>
  static Setting<Target> address(std::string name, Field field) {
    return make(std::move(name), Type{.kind = Kind::address}, field, convert_as<std::string>);
  }

  template <class Field>
  static Setting<Target> addresses(std::string name, Field field) {
    return make(std::move(name), Type{.kind = Kind::addresses}, field, convert_as<std::vector<std::string>>);
  }

 private:
  template <class T>
  struct As {};
  template <class T>
  static constexpr As<T> convert_as{};

  template <class Held, class T>
  static Held to_field(const T& value) {
    if constexpr (std::is_same_v<T, std::chrono::microseconds> && is_chrono<Held>) {
      return std::chrono::duration_cast<Held>(value);
    } else if constexpr (std::is_same_v<T, std::chrono::microseconds>) {
      return static_cast<Held>(value.count());
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
      return static_cast<Held>(value);
    } else {
      return Held(value);
    }
  }

  template <class T, class Held>
  static T from_field(const Held& held) {
    if constexpr (std::is_same_v<Held, std::filesystem::path>) {
      return held.string();
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
      return static_cast<std::uint64_t>(held);
    } else {
      return T(held);
    }
  }

  template <class Field, class T>
  static Setting<Target> make(std::string name, Type type, Field field, As<T>) {
    using Held = std::remove_cvref_t<decltype(field(std::declval<Target&>()))>;
    Setting<Target> setting;
    setting.name = std::move(name);
    setting.type = std::move(type);
    setting.assign = [field](Target& target, const Value& value) {
      field(target) = to_field<Held, T>(std::get<T>(value));
    };
    setting.read = [field](const Target& target) -> Value { return from_field<T>(field(target)); };
    return setting;
  }
};

/// A setting whose value 0 is written as a word.
template <class Target>
Setting<Target> zero_as(std::string_view word, Setting<Target> setting) {
  setting.type.zero_word = word;
  return setting;
}

/// A setting that this build accepts and checks, but has no use for.
template <class Target>
Setting<Target> absent(std::string_view why, Setting<Target> setting) {
  setting.absent = why;
  return setting;
}

/// A setting that a reload changes in the running server.
template <class Target>
Setting<Target> live(Setting<Target> setting) {
  setting.live = true;
  return setting;
}

}  // namespace lookback::conf
