#pragma once
#include <boost/json/basic_parser_impl.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lookback::server::api {

/// Boost.JSON's events, of which it keeps where in the text a key comes a second time: the library's own
/// values would keep the last one silently, and other readers of the same text the first (RFC 8259 4).
class DuplicateKeys {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX, max_array_size = SIZE_MAX, max_key_size = SIZE_MAX,
                               max_string_size = SIZE_MAX;
  using error_code = boost::system::error_code;
  using string_view = boost::json::string_view;

  /// The second one's pointer; empty: no key comes twice.
  const std::string& found() const { return found_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    levels_.push_back({});
    return true;
  }
  bool on_object_end(std::size_t, error_code&) { return end_level(); }
  bool on_array_begin(error_code&) {
    levels_.push_back({.is_array = true});
    return true;
  }
  bool on_array_end(std::size_t, error_code&) { return end_level(); }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code&) {
    key_.append(part.data(), part.size());
    auto& level = levels_.back();
    level.current = key_;
    if (!level.keys.insert(std::exchange(key_, {})).second && found_.empty()) found_ = path();
    return true;
  }
  bool on_string_part(string_view, std::size_t, error_code&) { return true; }
  bool on_string(string_view, std::size_t, error_code&) { return end_value(); }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, string_view, error_code&) { return end_value(); }
  bool on_uint64(std::uint64_t, string_view, error_code&) { return end_value(); }
  bool on_double(double, string_view, error_code&) { return end_value(); }
  bool on_bool(bool, error_code&) { return end_value(); }
  bool on_null(error_code&) { return end_value(); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  struct Level {
    bool is_array = false;
    std::size_t index = 0;
    std::string current = {};
    std::set<std::string> keys = {};
  };
  bool end_level() {
    levels_.pop_back();
    return end_value();
  }
  bool end_value() {
    if (!levels_.empty() && levels_.back().is_array) ++levels_.back().index;
    return true;
  }
  std::string path() const;

  std::vector<Level> levels_;
  std::string key_, found_;
};

/// A key as one step of a JSON pointer (RFC 6901 3).
std::string pointer_step(std::string_view key);

}  // namespace lookback::server::api
