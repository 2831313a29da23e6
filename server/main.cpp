// The `lookback` program: command line, configuration, log; everything else is in the layers.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "conf/load.hpp"
#include "conf/print.hpp"
#include "server/app.hpp"
#include "server/base/allocator.hpp"
#include "server/cli/export_command.hpp"
#include "server/cli/store_command.hpp"
#include "server/pictures/worker/main.hpp"
#include "server/versions.hpp"

namespace {

using namespace lookback;

constexpr int exit_ok = 0, exit_bad_config = 2;

struct Arguments {
  std::string file;
  std::vector<conf::FlagValue> flags;
};

/// Adds -c, --set and the short flags to a subcommand.
void add_settings(CLI::App& command, Arguments& arguments) {
  command.add_option("-c,--config", arguments.file, "configuration file (TOML)");
  command.add_option_function<std::vector<std::string>>(
      "--set",
      [&](const std::vector<std::string>& values) {
        for (const auto& value : values) {
          auto set = conf::parse_set(value);
          if (!set) throw CLI::ValidationError("--set", "expects section.key=value, not \"" + value + "\"");
          arguments.flags.push_back(std::move(*set));
        }
      },
      "any setting: --set http.listen=127.0.0.1:8080");
  for (const auto& flag : conf::short_flags()) {
    command.add_option_function<std::string>(
        std::string(flag.flag),
        [&arguments, key = std::string(flag.key), name = std::string(flag.flag)](const std::string& value) {
          arguments.flags.push_back({key, value, name});
        },
        std::string(flag.help));
  }
}

conf::Loaded load(const Arguments& arguments) {
  conf::Sources sources;
  if (!arguments.file.empty()) sources.file = arguments.file;
  sources.environment = conf::process_environment();
  sources.flags = arguments.flags;
  auto loaded = conf::load(sources);
  for (const auto& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  for (const auto& warning : loaded.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  return loaded;
}

/// The block that an operator copies from, and the line that scripts wait for.
void print_started(const server::Started& started) {
  const auto port = [](const std::string& address) { return address.substr(address.rfind(':') + 1); };
  const auto host = [](const std::string& address) {
    const auto name = address.substr(0, address.rfind(':'));
    return name == "0.0.0.0" ? std::string("127.0.0.1") : name;
  };
  std::printf("\n  Lookback %s is up.\n\n", server::lookback_version().c_str());
  std::printf("  Publish (OBS, FFmpeg)   server rtmp://%s:%s/live   key NAME\n", host(started.rtmp).c_str(),
              port(started.rtmp).c_str());
  if (!started.rtmps.empty()) {
    std::printf("  Publish by RTMPS        server rtmps://%s:%s/live   key NAME\n",
                host(started.rtmps).c_str(), port(started.rtmps).c_str());
  }
  for (const auto& srt : started.srt) {
    std::printf("  Publish by SRT          srt://%s:%s?streamid=publish:live/NAME   (MPEG-TS)\n",
                host(srt).c_str(), port(srt).c_str());
  }
  if (!started.fresh_publish_key.empty()) {
    std::printf("  From other machines     key NAME?key=%s   (shown once)\n",
                started.fresh_publish_key.c_str());
  }
  if (!started.fresh_admin_token.empty()) {
    std::printf("  Admin token             %s   (shown once; this machine needs none)\n",
                started.fresh_admin_token.c_str());
  }
  std::printf("  Watch                   http://%s:%s/watch/live/NAME\n", host(started.http).c_str(),
              port(started.http).c_str());
  std::printf("  Playlist                http://%s:%s/live/NAME/index.m3u8\n\n", host(started.http).c_str(),
              port(started.http).c_str());
  std::printf("ready http=%s rtmp=%s", started.http.c_str(), started.rtmp.c_str());
  if (!started.rtmps.empty()) std::printf(" rtmps=%s", started.rtmps.c_str());
  for (const auto& srt : started.srt) std::printf(" srt=%s", srt.c_str());
  std::printf("\n");
  std::fflush(stdout);
}

/// The configuration in force; replaced as a whole. Thread-safe.
class CurrentConfig {
 public:
  explicit CurrentConfig(std::shared_ptr<const conf::Config> config) : config_(std::move(config)) {}
  std::shared_ptr<const conf::Config> get() const {
    const std::lock_guard lock(mutex_);
    return config_;
  }
  void set(std::shared_ptr<const conf::Config> config) {
    const std::lock_guard lock(mutex_);
    config_ = std::move(config);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const conf::Config> config_;
};

bool reload(CurrentConfig& current, const Arguments& arguments) {
  const auto loaded = load(arguments);
  if (!loaded.config) {
    spdlog::error("the configuration has mistakes; the old one stays in force");
    return false;
  }
  for (const auto& key : conf::needs_restart(*current.get(), *loaded.config)) {
    spdlog::warn("{} has changed: this takes a restart", key);
  }
  current.set(loaded.config);
  spdlog::info("the configuration is reloaded");
  return true;
}

int run(const Arguments& arguments) {
  const auto loaded = load(arguments);
  if (!loaded.config) return exit_bad_config;
  const auto& config = *loaded.config;
  spdlog::set_level(spdlog::level::from_str(config.log_level));
  server::AppOptions options;
  options.store = config.store;
  options.http = config.http;
  options.rtmp = config.rtmp;
  options.rtmps = config.rtmps;
  options.srt = config.srt;
  options.registry.max_streams = config.limits.max_streams;
  options.registry.max_tracks = options.srt.max_tracks = options.rtmp.max_tracks = config.limits.max_tracks;
  options.registry.max_feeds = config.limits.max_feeds;
  options.registry.max_ingest_queue_bytes = config.limits.max_ingest_queue_bytes;
  options.max_standby_bytes = config.limits.max_standby_bytes;
  options.pictures = config.pictures;
  options.tokens = config.tokens;
  options.recordings.max_recordings = config.limits.max_recordings;
  options.recordings.max_per_stream = config.limits.max_recordings_per_stream;
  options.threads = config.threads;
  options.blocking_threads = config.blocking_threads;
  auto current = std::make_shared<CurrentConfig>(loaded.config);
  options.settings = [current](std::string_view stream) { return current->get()->settings_for(stream); };
  options.pulls = [current] { return current->get()->pulls(); };
  options.max_interval = [current] { return current->get()->limits.max_interval; };
  options.reload = [current, arguments] { return reload(*current, arguments); };
  return server::run(std::move(options), print_started);
}

int export_mp4(const Arguments& arguments, server::cli::ExportOptions options) {
  const auto loaded = load(arguments);
  if (!loaded.config) return exit_bad_config;
  options.store = loaded.config->store;
  return server::cli::export_mp4(options);
}

int validate(const Arguments& arguments) {
  const auto loaded = load(arguments);
  if (!loaded.config) return exit_bad_config;
  std::printf("%s: ok\n", arguments.file.c_str());
  return exit_ok;
}

int print_config(const Arguments& arguments) {
  const auto loaded = load(arguments);
  if (!loaded.config) return exit_bad_config;
  std::fputs(conf::print_toml(*loaded.config).c_str(), stdout);
  return exit_ok;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == server::pictures::worker_command)
    return server::pictures::run_worker(argv[2]);
  server::keep_freed_memory();
  CLI::App app{"Lookback: a live streaming origin server that remembers"};
  app.require_subcommand(1);
  Arguments arguments;

  auto* run_command = app.add_subcommand("run", "run the server");
  add_settings(*run_command, arguments);
  auto* validate_command =
      app.add_subcommand("validate", "check a configuration file; exit code 2 when it has mistakes");
  validate_command->add_option("file", arguments.file, "configuration file")->required();
  auto* config_command = app.add_subcommand("config", "look at the configuration");
  auto* print_command =
      config_command->add_subcommand("print", "print the effective values and where each came from");
  config_command->require_subcommand(1);
  add_settings(*print_command, arguments);
  server::cli::ExportOptions exported;
  auto* export_command = app.add_subcommand(
      "export", "write an MP4 of a stored stream or recording; the server must not be running on the store");
  add_settings(*export_command, arguments);
  export_command->add_option("view", exported.view, "the stream: live/news, or a recording: vod/ID")
      ->required();
  export_command->add_option("--start", exported.start,
                             "RFC 3339, Unix time, now-90m; default: the first media");
  export_command->add_option("--end", exported.end, "the same; default: the newest media");
  export_command->add_option("--duration", exported.duration, "instead of --end: 90s, 30m, 1.5h");
  export_command->add_option("file", exported.out, "the file to write")->required();
  export_command->add_flag("--json", exported.json, "progress and result as JSON lines");
  const auto store_command = server::add_store_command(app);
  auto* version_command = app.add_subcommand("version", "print the versions of Lookback and its libraries");

  CLI11_PARSE(app, argc, argv);
  spdlog::set_default_logger(spdlog::stderr_color_mt("lookback"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  if (*run_command) return run(arguments);
  if (*validate_command) return validate(arguments);
  if (*print_command) return print_config(arguments);
  if (*export_command) return export_mp4(arguments, std::move(exported));
  if (app.got_subcommand("store")) return store_command();
  if (*version_command) std::fputs(server::library_versions().c_str(), stdout);
  return exit_ok;
}
