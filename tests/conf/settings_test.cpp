#include "conf/settings.hpp"

#include <catch2/catch_test_macros.hpp>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "conf/load.hpp"
#include "conf/print.hpp"
#include "tests/conf/config_file.hpp"
#include "tests/support/paths.hpp"

using namespace lookback;
using namespace lookback::conf;
using namespace std::chrono_literals;
using conf_test::ConfigFile;
using conf_test::load_file;

namespace {

const std::filesystem::path default_file = support::source_folder() / "conf" / "lookback.toml";

/// Every value as text, by full key.
std::map<std::string, std::string> values(const Config& config) {
  std::map<std::string, std::string> out;
  for (const auto& setting : process_settings()) out[setting.name] = show(setting.type, setting.read(config));
  for (const auto& setting : stream_settings()) {
    out["defaults." + setting.name] = show(setting.type, setting.read(config.defaults));
  }
  return out;
}

std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The default file with every "#key = value" line taken into use. The keys of absent features stand at the
/// end of [defaults], so they are still in its section.
std::string uncommented(const std::string& text) {
  return std::regex_replace(text, std::regex("(^|\n)#([a-z])"), "$1$2");
}

}  // namespace

TEST_CASE("the shipped file as it is changes nothing", "[conf][default-file]") {
  const auto loaded = load({default_file, {}, {}});
  CHECK(loaded.problems == std::vector<std::string>{});
  CHECK(loaded.warnings == std::vector<std::string>{});
  REQUIRE(loaded.config != nullptr);
  for (const auto& [key, origin] : loaded.config->origins) {
    CAPTURE(key);
    CHECK(origin == "default");
  }
}

TEST_CASE("the shipped file names every key once, with its default", "[conf][default-file]") {
  const ConfigFile file(uncommented(read_all(default_file)));
  const auto loaded = load_file(file);
  REQUIRE(loaded.problems == std::vector<std::string>{});  // a key that stood twice would be one
  CHECK(values(*loaded.config) == values(Config{}));
  for (const auto& [key, origin] : loaded.config->origins) {
    CAPTURE(key);
    CHECK(origin != "default");
  }
}

TEST_CASE("every key of the shipped file stands below a sentence about it", "[conf][default-file]") {
  std::istringstream lines(read_all(default_file));
  std::string previous, line;
  std::size_t keys = 0;
  const std::set<std::string> explained_by_name{"#thumbs.enabled", "#motionclip.enabled", "#replay.duration",
                                                "#listen", "#key"};
  while (std::getline(lines, line)) {
    const auto name = line.substr(0, line.find(' '));
    if (std::regex_match(line, std::regex("#[a-z].* = .*"))) {
      ++keys;
      CAPTURE(line, previous);
      CHECK((previous.starts_with("# ") || explained_by_name.contains(name)));
    }
    previous = line;
  }
  CHECK(keys == process_settings().size() + stream_settings().size());
}

TEST_CASE("every option of the layers is a key of the configuration", "[conf][settings]") {
  const auto count = [](std::string_view section) {
    return std::count_if(process_settings().begin(), process_settings().end(),
                         [&](const auto& setting) { return setting.name.starts_with(section); });
  };
  // Each binding names all members: an option that is added to a layer breaks the build here until it is a
  // key.
  const Config config;
  [[maybe_unused]] const auto& [s1, s2, s3, s4, s5, s6, s7, s8, s9, log, seam] = config.store;
  CHECK(count("store.") == 9);  // all but the callees
  [[maybe_unused]] const auto& [h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11, h12, h13, h14, h15] =
      config.http;
  CHECK(count("http.") == 15);
  [[maybe_unused]] const auto& [r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, rtmp_tracks] =
      config.rtmp;
  CHECK(count("rtmp.") == 14);  // rtmp_tracks is limits.max_tracks
  [[maybe_unused]] const auto& [u1, u2, u3, u4, u5, u6, u7, u8, u9, u10, u11, u12, u13, max_tracks] =
      config.srt;
  CHECK(count("srt.") == 13);  // max_tracks is limits.max_tracks
  [[maybe_unused]] const auto& [p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, program] = config.pictures;
  CHECK(count("pictures.") == 10);  // all but the program, which is this one
}

TEST_CASE("each key changes the value that it reads, and no other", "[conf][settings]") {
  const auto untouched = values(Config{});
  for (const auto& setting : process_settings()) {
    CAPTURE(setting.name);
    Config config;
    const auto before = setting.read(config);
    Value other = before;
    if (auto* flag = std::get_if<bool>(&other)) *flag = !*flag;
    if (auto* number = std::get_if<std::uint64_t>(&other)) *number += setting.type.step;
    if (auto* duration = std::get_if<std::chrono::microseconds>(&other)) {
      *duration += std::chrono::microseconds(setting.type.step);
    }
    if (auto* text = std::get_if<std::string>(&other)) *text += "x";
    if (auto* texts = std::get_if<std::vector<std::string>>(&other)) texts->push_back(":1");
    setting.assign(config, other);
    CHECK(setting.read(config) == other);
    auto changed = values(config);
    CHECK(changed.at(setting.name) != untouched.at(setting.name));
    changed[setting.name] = untouched.at(setting.name);
    CHECK(changed == untouched);
  }
}

TEST_CASE("every default lies within its key's limits", "[conf][settings]") {
  const Config config;
  const auto check = [](const auto& setting, const Value& value) {
    CAPTURE(setting.name);
    const auto text = show(setting.type, value);
    const ConfigFile file("x = " + text);  // goes through TOML, as an operator's would
    CHECK(text.find('\n') == std::string::npos);
    const auto number = std::get_if<std::uint64_t>(&value);
    if (number != nullptr && (*number != 0 || setting.type.zero_word.empty())) {
      CHECK(*number >= setting.type.min);
      CHECK(*number <= setting.type.max);
    }
    const auto duration = std::get_if<std::chrono::microseconds>(&value);
    if (duration != nullptr && (duration->count() != 0 || setting.type.zero_word.empty())) {
      CHECK(static_cast<std::uint64_t>(duration->count()) >= setting.type.min);
      CHECK(static_cast<std::uint64_t>(duration->count()) <= setting.type.max);
    }
  };
  for (const auto& setting : process_settings()) check(setting, setting.read(config));
  for (const auto& setting : stream_settings()) check(setting, setting.read(config.defaults));
}

TEST_CASE("a stream gets the defaults, then every section that covers it, the most specific last",
          "[conf][streams]") {
  const ConfigFile file(R"([streams."live/news"]
segment = "3s"
[streams."live/*"]
segment = "4s"
part = "400ms"
grace = "4s"
[streams."**"]
segment = "5s"
part = "500ms"
grace = "5s"
takeover = "5s"
[defaults]
takeover = "6s"
max_segment = "8s"
)");
  const auto loaded = load_file(file);
  REQUIRE(loaded.problems == std::vector<std::string>{});
  const auto news = loaded.config->settings_for("live/news");
  CHECK(news->values.segment_us == 3'000'000);
  CHECK(news->values.part_us == 400'000);
  CHECK(news->values.grace == 4s);
  CHECK(news->values.takeover == 5s);
  CHECK(news->values.max_segment == 8s);
  CHECK(news->origins.at("segment") == file.at(2));
  CHECK(news->origins.at("part") == file.at(5));
  CHECK(news->origins.at("takeover") == file.at(11));
  CHECK(news->origins.at("max_segment") == file.at(14));
  CHECK(news->origins.at("publish") == "default");
  CHECK(news->origins.size() == stream_settings().size());

  CHECK(loaded.config->settings_for("live/sport")->values.segment_us == 4'000'000);
  CHECK(loaded.config->settings_for("radio/one")->values.segment_us == 5'000'000);
}

TEST_CASE("of globs that are equally specific the later in the file wins", "[conf][streams]") {
  const ConfigFile file("[streams.\"z*\"]\ngrace = \"1s\"\n[streams.\"*a\"]\ngrace = \"2s\"\n");
  CHECK(load_file(file).config->settings_for("za")->values.grace == 2s);
}

TEST_CASE("a section changes only the keys that it names", "[conf][streams]") {
  const ConfigFile file(
      "[defaults]\nreplay = { duration = \"2h\" }\n[streams.\"live/a\"]\nreplay.enabled = false\n");
  const auto settings = load_file(file).config->settings_for("live/a");
  CHECK_FALSE(settings->values.replay_enabled);
  CHECK(settings->values.replay_duration == 2h);
}

TEST_CASE("sections that only together contradict each other give a stream that can be served",
          "[conf][streams]") {
  const ConfigFile file("[streams.\"live/*\"]\nsegment = \"1s\"\n[streams.\"live/long*\"]\npart = \"2s\"\n");
  const auto settings = load_file(file).config->settings_for("live/longer");
  CHECK(settings->values.segment_us == 1'000'000);
  CHECK(settings->values.part_us == 1'000'000);  // no part is longer than its segment
}

TEST_CASE("a bad pattern is one error, whatever its section holds", "[conf][streams]") {
  const ConfigFile file("[streams.\"/live\"]\nsegment = \"2s\"\nbogus = 1\n");
  const auto loaded = load_file(file);
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].starts_with(file.at(1, 10) + ": streams.\"/live\": "));
}

TEST_CASE("the printed configuration is a file that gives the same configuration", "[conf][print]") {
  const ConfigFile file(R"([http]
listen = "127.0.0.1:0"
[store]
path = "with \"quotes\" and \\"
max_size = "1GiB"
[defaults]
replay.duration = "all"
[streams."live/*"]
part = "200ms"
grace = "1s"
)");
  const auto first = load_file(file);
  REQUIRE(first.problems == std::vector<std::string>{});
  const ConfigFile printed(print_toml(*first.config));
  const auto second = load_file(printed);
  REQUIRE(second.problems == std::vector<std::string>{});
  CHECK(values(*second.config) == values(*first.config));
  CHECK(second.config->store.path == "with \"quotes\" and \\");
  CHECK(second.config->settings_for("live/a")->values == first.config->settings_for("live/a")->values);
}

TEST_CASE("printing says where each value came from and keeps secrets", "[conf][print]") {
  const ConfigFile file("[defaults]\nkey = \"s3cret\"\n[streams.\"live/a\"]\nkey = \"s4cret\"\n");
  const auto loaded =
      load_file(file, {{"LOOKBACK_HTTP_LISTEN", ":1"}}, {{"rtmp.listen", ":2", "--rtmp-listen"}});
  REQUIRE(loaded.problems == std::vector<std::string>{});
  const auto text = print_toml(*loaded.config);
  CHECK(text.find("\nlisten = \":1\"  # LOOKBACK_HTTP_LISTEN\n") != std::string::npos);
  CHECK(text.find("\nlisten = \":2\"  # --rtmp-listen\n") != std::string::npos);
  CHECK(text.find("\nsegment = \"2s\"  # default\n") != std::string::npos);
  CHECK(text.find("\nlisten = [\":8890\"]  # default\n") != std::string::npos);
  CHECK(text.find("# key = \"(set, not shown)\"  # " + file.at(2)) != std::string::npos);
  CHECK(text.find("cret\"") == std::string::npos);

  const auto json = print_json(*loaded.config);
  CHECK(json.find(R"({"key":"http.listen","value":":1","origin":"LOOKBACK_HTTP_LISTEN"})") !=
        std::string::npos);
  CHECK(json.find(R"({"key":"http.max_waiting","value":10000,"origin":"default"})") != std::string::npos);
  CHECK(json.find("cret\"") == std::string::npos);
}
