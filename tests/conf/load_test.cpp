#include "conf/load.hpp"
#include "conf/print.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/conf/config_file.hpp"

using namespace lookback;
using namespace lookback::conf;
using namespace std::chrono_literals;
using conf_test::ConfigFile;
using conf_test::load_file;

namespace {

/// The only message of a file that has one mistake, without the place.
std::string only_problem(std::string_view text, int line, int column = 1) {
  const ConfigFile file(text);
  const auto loaded = load_file(file);
  CAPTURE(text, loaded.problems);
  REQUIRE(loaded.problems.size() == 1);
  REQUIRE(loaded.config == nullptr);
  const auto place = file.at(line, column) + ": ";
  REQUIRE(loaded.problems[0].starts_with(place));
  return loaded.problems[0].substr(place.size());
}

}  // namespace

TEST_CASE("without file, environment and flags everything is at the product's defaults", "[conf][load]") {
  const auto loaded = load({});
  REQUIRE(loaded.problems.empty());
  REQUIRE(loaded.warnings.empty());
  const auto& config = *loaded.config;
  CHECK(config.http.listen == ":8080");
  CHECK(config.rtmp.listen == ":1935");
  CHECK(config.https.listen == ":8443");
  CHECK(config.srt.listen == std::vector<std::string>{":8890"});
  CHECK(config.store.path == "./data");
  CHECK(config.store.reserve_bytes == 2ull << 30);
  CHECK(config.store.max_size_bytes == 0);
  CHECK(config.defaults.segment_us == 2'000'000);
  CHECK(config.defaults.part_us == 334'000);
  CHECK(config.defaults.grace == 60s);
  CHECK(config.defaults.takeover == 10s);
  CHECK(config.defaults.publish == server::PublishPolicy::key);
  CHECK(config.defaults.replay_enabled);
  CHECK(config.defaults.replay_duration == 4h);
  CHECK(config.defaults.thumbs == server::ThumbsSettings{true, 10s});
  CHECK(config.defaults.motionclip == server::MotionClipSettings{false, 5s, 30s});
  CHECK(config.defaults.rec == server::RecSettings{false, 0s});
}

TEST_CASE("the file's values arrive in the options of the layer that uses them", "[conf][load]") {
  const ConfigFile file(R"([server]
threads = 3
[log]
level = "warning"
[store]
path = "/srv/lookback"
max_size = "500GiB"
extent_duration = "5m"
[http]
listen = "127.0.0.1:0"
max_header = "32KiB"
max_connections = 5
[rtmp]
listen = "[::1]:1936"
idle_timeout = "1.5s"
[srt]
listen = [":8891", "127.0.0.1:8892/live/cam"]
latency = "200ms"
[limits]
max_streams = 12
[defaults]
segment = "4s"
srt.passphrase = "ten charac"
part = "0.5s"
publish = "open"
replay = { enabled = false, duration = "all" }
)");
  const auto loaded = load_file(file);
  REQUIRE(loaded.problems == std::vector<std::string>{});
  const auto& config = *loaded.config;
  CHECK(config.threads == 3);
  CHECK(config.log_level == "warning");
  CHECK(config.store.path == "/srv/lookback");
  CHECK(config.store.max_size_bytes == 500ull << 30);
  CHECK(config.store.extent_duration == 300s);
  CHECK(config.http.listen == "127.0.0.1:0");
  CHECK(config.http.max_header_bytes == 32'768);
  CHECK(config.http.max_connections == 5);
  CHECK(config.rtmp.listen == "[::1]:1936");
  CHECK(config.rtmp.idle_timeout == 1500ms);
  CHECK(config.srt.listen == std::vector<std::string>{":8891", "127.0.0.1:8892/live/cam"});
  CHECK(config.srt.latency == 200ms);
  CHECK(config.defaults.srt_passphrase == "ten charac");
  CHECK(config.limits.max_streams == 12);
  CHECK(config.defaults.segment_us == 4'000'000);
  CHECK(config.defaults.part_us == 500'000);
  CHECK(config.defaults.publish == server::PublishPolicy::open);
  CHECK_FALSE(config.defaults.replay_enabled);
  CHECK(config.defaults.replay_duration == 0s);
  CHECK(config.origins.at("http.listen") == file.at(10));
  CHECK(config.origins.at("defaults.replay.duration") == file.at(26, 29));
  CHECK(config.origins.at("http.idle_timeout") == "default");
}

TEST_CASE("flags beat the environment, which beats the file, which beats the default", "[conf][load]") {
  const ConfigFile file("[http]\nlisten = \":1\"\nmax_waiting = 1\nmax_connections = 1\n");
  const auto loaded = load_file(file, {{"LOOKBACK_HTTP_LISTEN", ":2"}, {"LOOKBACK_HTTP_MAX_WAITING", "2"}},
                                {{"http.listen", ":3", "--http-listen"}});
  REQUIRE(loaded.problems == std::vector<std::string>{});
  CHECK(loaded.config->http.listen == ":3");
  CHECK(loaded.config->http.max_waiting == 2);
  CHECK(loaded.config->http.max_connections == 1);
  CHECK(loaded.config->origins.at("http.listen") == "--http-listen");
  CHECK(loaded.config->origins.at("http.max_waiting") == "LOOKBACK_HTTP_MAX_WAITING");
  CHECK(loaded.config->origins.at("http.max_connections") == file.at(4));
}

TEST_CASE("environment variables take every kind of value", "[conf][load]") {
  const auto loaded = load({std::nullopt,
                            {{"LOOKBACK_DEFAULTS_REPLAY_ENABLED", "false"},
                             {"LOOKBACK_DEFAULTS_REPLAY_DURATION", "90m"},
                             {"LOOKBACK_STORE_MAX_SIZE", "1GiB"},
                             {"LOOKBACK_SERVER_THREADS", "auto"},
                             {"LOOKBACK_SRT_LISTEN", ":1,[::1]:2"},
                             {"HOME", "/"}},
                            {}});
  REQUIRE(loaded.problems == std::vector<std::string>{});
  CHECK_FALSE(loaded.config->defaults.replay_enabled);
  CHECK(loaded.config->defaults.replay_duration == 90min);
  CHECK(loaded.config->store.max_size_bytes == 1ull << 30);
  CHECK(loaded.config->threads == 0);
  CHECK(loaded.config->srt.listen == std::vector<std::string>{":1", "[::1]:2"});
}

TEST_CASE("LOOKBACK_CONFIG names the file when no flag does", "[conf][load]") {
  const ConfigFile by_flag("[http]\nlisten = \":1\"\n"), by_variable("[http]\nlisten = \":2\"\n");
  const conf_test::Environment environment{{"LOOKBACK_CONFIG", by_variable.path().string()}};
  CHECK(load({std::nullopt, environment, {}}).config->http.listen == ":2");
  CHECK(load({by_flag.path(), environment, {}}).config->http.listen == ":1");
}

TEST_CASE("a variable that starts like a section of ours must be a setting", "[conf][load]") {
  const auto loaded = load({std::nullopt, {{"LOOKBACK_HTTP_LISTN", ":1"}, {"LOOKBACK_BINARY", "x"}}, {}});
  CHECK(loaded.problems ==
        std::vector<std::string>{
            "LOOKBACK_HTTP_LISTN: no setting has this name; did you mean LOOKBACK_HTTP_LISTEN?"});
  CHECK(loaded.warnings == std::vector<std::string>{"LOOKBACK_BINARY: no setting has this name; ignored"});
}

TEST_CASE("the flag --set takes any key, also of one stream", "[conf][load]") {
  const auto set = parse_set("streams.\"live/a\".part=200ms");
  REQUIRE(set.has_value());
  CHECK(set->flag == "--set streams.\"live/a\".part");
  const auto loaded = load({std::nullopt, {}, {*set}});
  REQUIRE(loaded.problems == std::vector<std::string>{});
  CHECK(loaded.config->settings_for("live/a")->values.part_us == 200'000);
  CHECK(loaded.config->settings_for("live/b")->values.part_us == 334'000);

  CHECK(parse_set("http.listen=:80")->value == ":80");
  CHECK(parse_set("defaults.key=a=b")->value == "a=b");
  CHECK(parse_set("http.listen") == std::nullopt);
  CHECK(parse_set("=x") == std::nullopt);
  const auto bad = load({std::nullopt, {}, {{"http..listen", "x", "--set http..listen"}}});
  CHECK(bad.problems == std::vector<std::string>{
                            "--set http..listen: \"http..listen\" is not a key; write SECTION.KEY=VALUE"});
}

TEST_CASE("an unknown key is an error with its place and the nearest known name", "[conf][load]") {
  CHECK(only_problem("[http]\nlisten = \":1\"\n  idle_timout = \"1s\"\n", 3, 3) ==
        "unknown key http.idle_timout; did you mean idle_timeout?");
  CHECK(only_problem("[defaults]\nreplay.durration = \"1h\"\n", 2, 8) ==
        "unknown key defaults.replay.durration; did you mean duration?");
  CHECK(only_problem("[streams.\"live/a\"]\nsegmnt = \"2s\"\n", 2) ==
        "unknown key streams.\"live/a\".segmnt; did you mean segment?");
  CHECK(only_problem("segment = \"2s\"\n", 1) == "unknown key segment; did you mean defaults.segment?");
  CHECK(only_problem("[http]\nzzzzzzzzzz = 1\n", 2) == "unknown key http.zzzzzzzzzz");
}

TEST_CASE("an unknown section is one error, however many keys it holds", "[conf][load]") {
  CHECK(only_problem("[htp]\nlisten = \":1\"\nmax_waiting = 1\n", 1, 2) ==
        "unknown section htp; did you mean http?");
  CHECK(only_problem("[stream.\"live/a\"]\npart = \"1s\"\n", 1, 2) ==
        "unknown section stream; did you mean streams?");
  CHECK(only_problem("[defaults.replays]\nenabled = true\n", 1, 11) ==
        "unknown section defaults.replays; did you mean replay?");
}

TEST_CASE("a value of the wrong type names the key and what to write", "[conf][load]") {
  CHECK(only_problem("[http]\nidle_timeout = 75\n", 2) ==
        "http.idle_timeout: needs a duration in quotes such as \"10s\" or \"334ms\", not a number; "
        "for seconds write \"75s\"");
  CHECK(only_problem("[store]\nreserve = 1024\n", 2) ==
        "store.reserve: needs a size in quotes such as \"50MiB\", not a number; for bytes write \"1024B\"");
  CHECK(only_problem("[http]\nmax_waiting = \"10\"\n", 2) ==
        "http.max_waiting: needs a whole number such as 1000, not a text");
  CHECK(only_problem("[http]\nmax_waiting = 1.5\n", 2) ==
        "http.max_waiting: needs a whole number such as 1000, not a decimal number");
  CHECK(only_problem("[defaults]\nreplay.enabled = \"yes\"\n", 2, 8) ==
        "defaults.replay.enabled: needs true or false, not a text");
  CHECK(only_problem("[defaults]\nreplay = true\n", 2) == "defaults.replay is a section, not a key");
  CHECK(only_problem("[defaults.part]\nx = 1\n", 1, 11) == "defaults.part is a key, not a section");
  CHECK(only_problem("http = 1\n", 1) == "http is a section, not a key");
  CHECK(only_problem("[http]\nlisten = [\":1\", \":2\"]\n", 2) ==
        "http.listen: needs an address such as \":8080\" or \"127.0.0.1:0\", not a list");
  CHECK(only_problem("[defaults]\nsrt.passphrase = \"too short\"\n", 2, 5) ==
        "defaults.srt.passphrase: must have 10 to 79 characters, or none");
  CHECK(only_problem("[streams.\"live/a\"]\nsrt = { passphrase = \"short\" }\n", 2, 9) ==
        "streams.\"live/a\".srt.passphrase: must have 10 to 79 characters, or none");
  const auto pull = [](const std::string& section, const std::string& url) {
    return only_problem("[" + section + "]\npull = \"" + url + "\"\n", 2);
  };
  CHECK(pull("defaults", "srt://a:1") ==
        "defaults.pull: belongs to one stream: say it in [streams.\"APP/NAME\"]");
  CHECK(pull("streams.\"live/*\"", "srt://a:1") ==
        "streams.\"live/*\".pull: belongs to one stream: say it in [streams.\"APP/NAME\"]");
  CHECK(pull("streams.\"live/a\"", "srt://a:1?passphrase=short") ==
        "streams.\"live/a\".pull: passphrase must have 10 to 79 characters");
  CHECK(only_problem("[srt]\npull_retry_min = \"2s\"\npull_retry_max = \"1s\"\n", 3) ==
        "srt.pull_retry_max: must not be shorter than srt.pull_retry_min");
  CHECK(only_problem("[srt]\nlisten = [1]\n", 2) ==
        "srt.listen: needs a list of addresses such as [\":8890\"], not a list of something else than texts");
  CHECK(only_problem("[defaults]\ngrace = 2026-01-01\n", 2) ==
        "defaults.grace: needs a duration in quotes such as \"10s\" or \"334ms\", not a date or time");
  CHECK(only_problem("streams = 1\n", 1) ==
        "streams holds sections: write [streams.\"NAME\"] above the stream's keys");
  CHECK(only_problem("[streams]\npart = \"1s\"\n", 2) ==
        "streams holds sections: write [streams.\"NAME\"] above the stream's keys");
}

TEST_CASE("a value out of range names the key, the limit and what is allowed", "[conf][load]") {
  CHECK(only_problem("[defaults]\npart = \"50ms\"\n", 2) ==
        "defaults.part: \"50ms\" is below the limit; allowed is 100ms to 2s");
  CHECK(only_problem("[defaults]\npart = \"2001ms\"\n", 2) ==
        "defaults.part: \"2001ms\" is above the limit; allowed is 100ms to 2s");
  CHECK(only_problem("[defaults]\nthumbs.interval = \"9s\"\n", 2, 8) ==
        "defaults.thumbs.interval: \"9s\" is below the limit; allowed is 10s to 1h");
  CHECK(only_problem("[defaults]\nrec.duration = \"0s\"\n", 2, 5) ==
        "defaults.rec.duration: \"0s\" is below the limit; allowed is 1s to 36500d, or \"all\"");
  CHECK(only_problem("[defaults]\nmax_segment = \"1500ms\"\n", 2) ==
        "defaults.max_segment: \"1500ms\" must be a multiple of 1s");
  CHECK(only_problem("[http]\nmax_waiting = 0\n", 2) ==
        "http.max_waiting: 0 is below the limit; allowed is 1 to 1000000");
  CHECK(only_problem("[http]\nmax_waiting = -1\n", 2) ==
        "http.max_waiting: -1 is below the limit; allowed is 1 to 1000000");
  CHECK(only_problem("[store]\nextent_size = \"5GiB\"\n", 2) ==
        "store.extent_size: \"5GiB\" is above the limit; allowed is 1MiB to 4GiB");
  CHECK(only_problem("[store]\npath = \"\"\n", 2) == "store.path: must not be empty");
  CHECK(only_problem("[defaults]\npublish = \"all\"\n", 2) ==
        "defaults.publish: \"all\" is not one of \"key\", \"open\"");
  CHECK(only_problem("[http]\nlisten = \"8080\"\n", 2) ==
        "http.listen: \"8080\" is not \":PORT\", \"IPV4:PORT\", \"[IPV6]:PORT\" or \"localhost:PORT\"");
  CHECK(only_problem("[defaults]\ngrace = \"10\"\n", 2) ==
        "defaults.grace: \"10\" has no unit; write a duration in quotes such as \"10s\" or \"334ms\"");
}

TEST_CASE("every mistake of a file is reported, in the file's order", "[conf][load]") {
  const ConfigFile file("[http]\nlisten = 8080\nbogus = 1\n[store]\npath = \"x\"\nreserve = \"2Gib\"\n");
  const auto loaded =
      load_file(file, {{"LOOKBACK_RTMP_LISTEN", "x"}}, {{"log.level", "loud", "--log-level"}});
  CHECK(loaded.config == nullptr);
  REQUIRE(loaded.problems.size() == 5);
  CHECK(loaded.problems[0].starts_with(file.at(2) + ": http.listen: "));
  CHECK(loaded.problems[1].starts_with(file.at(3) + ": unknown key http.bogus"));
  CHECK(loaded.problems[2].starts_with(file.at(6) + ": store.reserve: \"2Gib\" has an unknown unit"));
  CHECK(loaded.problems[3].starts_with("LOOKBACK_RTMP_LISTEN: rtmp.listen: "));
  CHECK(loaded.problems[4].starts_with("--log-level: log.level: "));
}

TEST_CASE("values that contradict each other are reported at the one to change", "[conf][load]") {
  const ConfigFile parts("[defaults]\nsegment = \"1s\"\npart = \"2s\"\n");
  CHECK(load_file(parts).problems ==
        std::vector<std::string>{parts.at(3) +
                                 ": defaults.part: part (2s) must not be longer than segment (1s); " +
                                 "change it, or segment, which comes from " + parts.at(2)});
  CHECK(only_problem("[streams.\"live/a\"]\nsegment = \"12s\"\n", 2) ==
        "streams.\"live/a\".segment: segment (12s) must not be longer than max_segment (10s); "
        "change it, or max_segment, which comes from the default");
  CHECK(only_problem("[streams.\"live/a\"]\nmax_segment = \"1s\"\n", 2) ==
        "streams.\"live/a\".max_segment: segment (2s) must not be longer than max_segment (1s); "
        "change it, or segment, which comes from the default");
  CHECK(only_problem("[store]\nmax_size = \"100MiB\"\n", 2) ==
        "store.max_size: must be at least store.extent_size (256MiB), or \"none\"");
  CHECK(only_problem("[rtmp]\nmax_partial = \"1MiB\"\n", 2) ==
        "rtmp.max_partial: must be at least rtmp.max_message (16MiB), or no such message can arrive");
  CHECK(only_problem("[https]\ncertificate = \"a.pem\"\n", 2) ==
        "https.certificate: needs https.key as well");
  CHECK(only_problem("[https]\nkey = \"a.pem\"\n", 2) == "https.key: needs https.certificate as well");
  CHECK(only_problem("[rtmps]\nkey = \"a.pem\"\n", 2) == "rtmps.key: needs rtmps.certificate as well");
}

TEST_CASE("the upper bound of intervals is 60 s unless [limits] widens it, wherever it stands",
          "[conf][load]") {
  CHECK(only_problem("[defaults]\nthumbs.interval = \"90s\"\n", 2, 8) ==
        "defaults.thumbs.interval: 90s is above the limit; allowed is 10s to 1m (limits.max_interval, which "
        "may be "
        "up to 1h)");
  CHECK(only_problem("[streams.\"live/a\"]\nmotionclip.interval = \"61s\"\n", 2, 12) ==
        "streams.\"live/a\".motionclip.interval: 61s is above the limit; allowed is 10s to 1m "
        "(limits.max_interval, "
        "which may be up to 1h)");
  const ConfigFile widened("[defaults]\nthumbs.interval = \"90s\"\n[limits]\nmax_interval = \"90s\"\n");
  CHECK(load_file(widened).problems == std::vector<std::string>{});
}

TEST_CASE("a syntax error is reported with its place", "[conf][load]") {
  const ConfigFile file("[http]\nlisten = :8080\n");
  const auto loaded = load_file(file);
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].starts_with(file.path().string() + ":2:"));
}

TEST_CASE("a file that cannot be read is one clear line", "[conf][load]") {
  const auto missing = load({"/nonexistent/lookback.toml", {}, {}});
  CHECK(missing.problems ==
        std::vector<std::string>{"/nonexistent/lookback.toml: cannot be read: No such file or directory"});
  const ConfigFile file("");
  const auto folder = file.path().parent_path();
  CHECK(load({folder, {}, {}}).problems ==
        std::vector<std::string>{folder.string() + ": cannot be read: it is a directory"});
  const ConfigFile large("# " + std::string(1u << 20, 'x'));
  CHECK(load_file(large).problems ==
        std::vector<std::string>{large.path().string() + ": cannot be read: it is larger than 1 MiB"});
}

TEST_CASE("keys of features that this build lacks are checked and warned about", "[conf][load]") {
  const ConfigFile file(R"([https]
certificate = "a.pem"
key = "b.pem"
[defaults]
thumbs = { enabled = true, interval = "20s" }
motionclip = { enabled = false, duration = "5s", interval = "30s" }
[streams."live/*"]
rec = { enabled = true, duration = "3h" }
)");
  const auto loaded = load_file(file);
  REQUIRE(loaded.problems == std::vector<std::string>{});
  CHECK(loaded.warnings ==
        std::vector<std::string>{
            file.at(2) + ": https.certificate: this build has no HTTPS listener; ignored",
            file.at(5, 12) + ": defaults.thumbs.enabled: this build makes no thumbnails; ignored"});
  CHECK(loaded.config->defaults.thumbs.interval == 20s);
  CHECK(loaded.config->settings_for("live/a")->values.rec == server::RecSettings{true, 3h});
}

TEST_CASE("a reload tells which changes need a restart", "[conf][load]") {
  const auto running = load({}).config;
  const ConfigFile harmless(
      "[defaults]\npart = \"200ms\"\n[log]\nlevel = \"debug\"\n[limits]\nmax_interval = \"2m\"\n");
  CHECK(needs_restart(*running, *load_file(harmless).config).empty());
  const ConfigFile deep("[http]\nlisten = \":81\"\n[store]\npath = \"x\"\n");
  CHECK(needs_restart(*running, *load_file(deep).config) ==
        std::vector<std::string>{"store.path", "http.listen"});
}

TEST_CASE(
    "pulled streams are those whose own section names a remote listener, and no output shows its secret",
    "[conf]") {
  const ConfigFile file(
      "[streams.\"live/a\"]\npull = \"srt://one.example:9000?streamid=x&passphrase=a%20long%20secret\"\n"
      "[streams.\"live/b\"]\ngrace = \"5s\"\n[streams.\"live/c\"]\npull = \"\"\n");
  const auto loaded = load({file.path(), {}, {}});
  REQUIRE(loaded.config != nullptr);
  const auto pulls = loaded.config->pulls();
  REQUIRE(pulls.size() == 1);
  CHECK(pulls[0].stream == "live/a");
  CHECK(pulls[0].host == "one.example");
  CHECK(pulls[0].passphrase == "a long secret");
  for (const auto& text : {print_toml(*loaded.config), print_json(*loaded.config)}) {
    CAPTURE(text);
    CHECK(text.find("secret") == std::string::npos);
  }
}
