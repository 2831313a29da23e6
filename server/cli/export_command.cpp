#include "server/cli/export_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "server/archive/mp4_movie.hpp"
#include "server/archive/time_grammar.hpp"
#include "server/cli/export_file.hpp"
#include "server/cli/export_progress.hpp"
#include "store/extent_record.hpp"
#include "store/store.hpp"

namespace lookback::server::cli {
namespace {

constexpr int exit_ok = 0, exit_failed = 1, exit_usage = 2, exit_nothing = 3, exit_changes = 4;

/// One export. Lives for one call.
class Export {
 public:
  explicit Export(const ExportOptions& options) : options_(options) {}

  int run() {
    if (const int code = read_times(); code != exit_ok) return code;
    if (const int code = open_store(); code != exit_ok) return code;
    const auto request = named();
    const auto outcome = request ? build_mp4(*store_, *request) : request.error();
    if (!outcome && outcome.error() == store::Errc::not_found)
      return say(exit_nothing,
                 fmt::format("{}: no such stream or recording, or no media in the range", options_.view));
    if (!outcome) return say(exit_failed, fmt::format("{}: {}", options_.view, outcome.error().message()));
    return outcome->movie ? write(*outcome->movie) : list(outcome->sections);
  }

 private:
  /// Prints why it ends.
  int say(int code, const std::string& text) const {
    if (options_.json) {
      std::printf(
          "%s\n",
          fmt::format(R"({{"event":"error","exit_code":{},"message":"{}"}})", code, escaped(text)).c_str());
    } else {
      std::fprintf(stderr, "lookback export: %s\n", text.c_str());
    }
    return code;
  }
  static std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out;
  }

  int read_times() {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    range_ = {0, INT64_MAX};
    if (const int code = read_time("--start", options_.start, now, range_.start_us); code != exit_ok)
      return code;
    if (const int code = read_time("--end", options_.end, now, range_.end_us); code != exit_ok) return code;
    if (!options_.duration.empty()) {
      const auto duration = archive::parse_duration("--duration", options_.duration);
      if (!duration) return say(exit_usage, duration.error().detail);
      if (*duration == 0 || !options_.end.empty() || options_.start.empty())
        return say(exit_usage, "--duration is above 0 (90, 30m, 1.5h), goes with --start and excludes --end");
      range_.end_us = range_.start_us + *duration;
    }
    if (range_.end_us <= range_.start_us) return say(exit_usage, "--end must be later than --start");
    return exit_ok;
  }

  /// Leaves `us` as it is when nothing was given.
  int read_time(std::string_view name, const std::string& text, std::int64_t now, std::int64_t& us) const {
    if (text.empty()) return exit_ok;
    const auto time = archive::parse_time(name, text);
    if (!time) return say(exit_usage, time.error().detail);
    us = time->at(now);
    return exit_ok;
  }

  int open_store() {
    auto settings = options_.store;
    if (!std::filesystem::exists(settings.path / "VERSION"))
      return say(exit_failed, settings.path.string() + ": there is no store");
    settings.log = [](const std::string& line) { std::fprintf(stderr, "store: %s\n", line.c_str()); };
    auto opened = store::Store::open(std::move(settings));
    if (!opened) {
      const bool in_use = opened.error() == store::Errc::in_use;
      return say(exit_failed, options_.store.path.string() + ": " + opened.error().message() +
                                  (in_use ? "; ask the server for video.mp4, or stop it" : ""));
    }
    store_ = std::move(*opened);
    return exit_ok;
  }

  /// A stream by its name, or a recording as vod/ID.
  Result<Mp4Request> named() const {
    constexpr std::string_view vod = "vod/";
    if (!options_.view.starts_with(vod)) return Mp4Request{options_.view, range_, 0, UINT64_MAX};
    const auto recording = store_->find_recording(options_.view.substr(vod.size()));
    if (!recording) return recording.error();
    if (recording->first_msn == store::RecordingRecord::open) return store::Errc::not_found;
    for (const auto& stream : store_->streams()) {
      if (stream.id == recording->stream)
        return Mp4Request{stream.name, range_, recording->first_msn, recording->end_msn};
    }
    return store::Errc::not_found;
  }

  int list(const Mp4Sections& sections) const {
    std::string text = "the media parameters change inside of this range; export one of:";
    for (const auto& section : sections) {
      text +=
          fmt::format("{} --start {} --end {}", options_.json ? ";" : "\n ",
                      archive::floor_time_text(section.start_us), archive::floor_time_text(section.end_us));
    }
    return say(exit_changes, text);
  }

  Result<void> copy(const Mp4Movie& movie, ExportFile& file) {
    if (const auto opened = file.open(); !opened) return opened;
    if (const auto added = file.append(movie.head.bytes); !added) return added;
    ExportProgress progress(movie.size_bytes, options_.json);
    std::uint64_t done = movie.head.size();
    for (std::size_t i = 0; i < movie.pieces.size(); ++i) {
      const auto& piece = movie.pieces[i];
      const auto extent = open_piece(*store_, movie, i);
      if (!extent) return extent.error();
      if (const auto added = file.append(**extent, piece.offset, piece.size_bytes); !added) return added;
      progress.at(done += piece.size_bytes);
    }
    progress.end();
    return file.finish();
  }

  int write(const Mp4Movie& movie) {
    ExportFile file(options_.out);
    const auto name = options_.out.string();
    if (const auto copied = copy(movie, file); !copied)
      return say(exit_failed, name + ": " + copied.error().message());
    const auto start = archive::floor_time_text(movie.start_us);
    const auto seconds = static_cast<double>(movie.duration_us) / 1e6;
    if (options_.json) {
      std::printf("%s\n",
                  fmt::format(R"({{"event":"done","file":"{}","bytes":{},"start":"{}","duration":{:.3f}}})",
                              escaped(name), movie.size_bytes, start, seconds)
                      .c_str());
    } else {
      std::fprintf(stderr, "%s\n",
                   fmt::format("{}: {:.1f} MB, {:.3f} s from {}", name,
                               static_cast<double>(movie.size_bytes) / 1e6, seconds, start)
                       .c_str());
    }
    return exit_ok;
  }

  const ExportOptions& options_;
  packager::MovieRange range_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace

int export_mp4(const ExportOptions& options) {
  if (options.out.empty()) {
    std::fputs("lookback export: name the file to write\n", stderr);
    return exit_usage;
  }
  return Export(options).run();
}

}  // namespace lookback::server::cli
