#pragma once
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/config.hpp"
#include "conf/key_lookup.hpp"
#include "conf/key_path.hpp"
#include "conf/load.hpp"

namespace lookback::conf {

/// Puts values into a Config one after the other and collects what is wrong with them: how `load` works
/// inside. Belongs to one thread.
class Loader {
 public:
  Loader();

  void read_file(const std::filesystem::path& file);
  void read_environment(std::vector<std::pair<std::string, std::string>> variables);
  void read_flag(const FlagValue& flag);
  /// Orders the stream sections, checks what spans several keys, and hands over.
  Loaded finish();

 private:
  /// One value, or one section header, of one source.
  struct Given {
    KeyPath path;
    std::string where;  ///< starts every message about it, and is the value's origin
    bool is_section = false;
    std::function<Raw(const Type&)> raw;
  };
  /// A value that this build has no use for.
  struct Unused {
    std::string where, key;
    std::string_view why;
    std::string pattern;  ///< of the stream section; empty: [defaults] or no stream key at all
    std::string process;  ///< "thumbs": worth a warning only if it is enabled
  };

  void take(const Given& given);
  void take_process(const Given& given);
  void take_default(const Given& given);
  void take_stream(const Given& given);
  template <class Target>
  const Setting<Target>* find(const Given& given, std::size_t from, const std::vector<std::string>& names,
                              const std::vector<Setting<Target>>& settings);
  template <class Target>
  std::optional<Value> value_of(const Given& given, const Setting<Target>& setting);
  StreamSection* section(const Given& given);

  void problem(std::string_view where, std::string_view what);
  void unknown_key(const Given& given, std::size_t from, const Lookup& lookup);
  void unknown_variable(const std::string& name);
  bool inside_reported(const KeyPath& path) const;
  void warn_unused();

  Config config_;
  std::vector<std::string> process_names_, stream_names_, all_names_;
  std::vector<std::string> problems_, warnings_;
  std::vector<Unused> unused_;
  std::set<KeyPath> reported_;  ///< unknown sections: what they hold is not complained about again
};

}  // namespace lookback::conf
