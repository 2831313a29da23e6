#include "server/cli/store_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "server/cli/progress_line.hpp"
#include "server/cli/store_report.hpp"

namespace lookback::server {
namespace {

constexpr int exit_ok = 0, exit_damaged = 1, exit_cannot = 2;

struct Arguments {
  std::string folder, stream;
  bool json = false;
};

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

/// The store's words, as they come; the results alone go to stdout.
store::Log log_to_stderr(ProgressLine* progress = nullptr) {
  return [progress](const std::string& line) {
    if (progress) progress->clear();
    std::fprintf(stderr, "%s\n", line.c_str());
  };
}

int verify(const Arguments& arguments) {
  ProgressLine progress(stderr, "verified");
  const auto report = store::verify(arguments.folder, log_to_stderr(&progress), progress.sink());
  progress.clear();
  if (!report) return exit_cannot;  // the log has said why
  print(arguments.json ? to_json(*report) : to_text(*report));
  return report->damaged == 0 ? exit_ok : exit_damaged;
}

int repair(const Arguments& arguments) {
  ProgressLine progress(stderr, "read");
  const auto report = store::repair(arguments.folder, log_to_stderr(&progress), progress.sink());
  progress.clear();
  if (!report) return exit_cannot;
  print(arguments.json ? to_json(*report) : to_text(*report));
  return report->segments_damaged + report->extents_unusable == 0 ? exit_ok : exit_damaged;
}

int stat(const Arguments& arguments) {
  const auto found = store::survey(arguments.folder, log_to_stderr());
  if (!found) return exit_cannot;
  print(arguments.json ? stat_json(*found) : stat_text(*found));
  return exit_ok;
}

int list(const Arguments& arguments) {
  const auto found = store::survey(arguments.folder, log_to_stderr());
  if (!found) return exit_cannot;
  const auto listing =
      arguments.json ? list_json(*found, arguments.stream) : list_text(*found, arguments.stream);
  if (!listing) {
    std::fprintf(stderr, "%s holds no stream %s\n", arguments.folder.c_str(), arguments.stream.c_str());
    return exit_cannot;
  }
  print(*listing);
  return exit_ok;
}

}  // namespace

std::function<int()> add_store_command(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("store", "look after a store while no server runs on it");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* help) {
    auto* sub = command->add_subcommand(name, help);
    sub->add_option("folder", arguments->folder, "the store's folder (store.path)")->required();
    sub->add_flag("--json", arguments->json, "print the result as one JSON object");
    return sub;
  };
  auto* verify_command = add("verify", "read everything and name what is damaged; changes nothing");
  auto* repair_command = add("repair", "make the index anew from the media; the old one is kept");
  auto* stat_command = add("stat", "print sizes and windows");
  auto* list_command = add("ls", "list streams, or what is stored of one");
  list_command->add_option("stream", arguments->stream, "name of a stream: live/news");
  return [=]() -> int {
    if (*verify_command) return verify(*arguments);
    if (*repair_command) return repair(*arguments);
    return *stat_command ? stat(*arguments) : list(*arguments);
  };
}

}  // namespace lookback::server
