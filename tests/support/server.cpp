#include "tests/support/server.hpp"
#include "tests/support/paths.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "tests/support/playlist.hpp"

namespace lookback::support {
namespace {

/// The port behind "name=127.0.0.1:" in `line`.
std::uint16_t port_of(const std::string& line, const std::string& name) {
  const auto key = name + "=127.0.0.1:";
  const auto found = line.find(key);
  if (found == std::string::npos) throw std::runtime_error("no " + name + " in the ready line: " + line);
  const auto digits = std::string_view(line).substr(found + key.size());
  const auto port = parse_integer(digits.substr(0, digits.find_first_not_of("0123456789")));
  if (!port || *port == 0 || *port > 65535) throw std::runtime_error("bad port in the ready line: " + line);
  return static_cast<std::uint16_t>(*port);
}

}  // namespace

Server::Server(Options options) : options_(std::move(options)) {
  if (options_.environment) environment_ = options_.environment(folder_.path());
  start();
}

Server::~Server() {
  const auto code = process_ ? process_->wait(std::chrono::milliseconds(0)) : std::nullopt;
  if (!code || ended_) return;
  process_->wait_for_end_of_output(std::chrono::seconds(1));
  const auto words = process_->out() + process_->err();
  std::fprintf(stderr, "the server has ended by itself with %d:\n%s\n", *code,
               words.substr(words.size() - std::min<std::size_t>(words.size(), 4000)).c_str());
}

std::filesystem::path Server::binary() {
  const char* chosen = std::getenv("LOOKBACK_BINARY");
  return chosen != nullptr ? std::filesystem::path(chosen) : build_folder() / "lookback";
}

std::string Server::rtmp_url(const std::string& stream) const {
  return "rtmp://127.0.0.1:" + std::to_string(rtmp_port_) + "/" + stream;
}

std::string Server::srt_url(const std::string& stream_id, const std::string& further) const {
  return "srt://127.0.0.1:" + std::to_string(srt_port_) + "?streamid=" + stream_id + further;
}

std::string Server::http_url(const std::string& target) const {
  return "http://127.0.0.1:" + std::to_string(http_port_) + target;
}

void Server::write_config() const {
  std::ofstream file(config());
  file << "[http]\nlisten = \"127.0.0.1:" << http_port_ << "\"\n"
       << "[rtmp]\nlisten = \"127.0.0.1:" << rtmp_port_ << "\"\n"
       << "[srt]\nlisten = [\"127.0.0.1:" << srt_port_ << "\"]\n"
       << "[store]\npath = \"" << (folder_.path() / "data").string() << "\"\nreserve = \"1MiB\"\n"
       << options_.store << "[defaults]\nsegment = \"" << options_.segment << "\"\npart = \"" << options_.part
       << "\"\ngrace = \"" << options_.grace << "\"\nreplay = { duration = \"" << options_.replay << "\" }\n"
       << options_.more;
  if (!file.flush()) throw std::runtime_error("cannot write the configuration");
}

void Server::start() {
  write_config();
  ended_ = false;
  const auto begin = std::chrono::steady_clock::now();
  process_ = std::make_unique<Process>(Process::Options{
      .arguments = {binary().string(), "run", "-c", config().string()},
      .environment = environment_,
      .hidden = {"LOOKBACK_BINARY", "LOOKBACK_EXTRA_MEDIA"},  // ours, no settings of the server
      .folder = folder_.path()});
  const auto line = process_->wait_for_line("ready http=", std::chrono::seconds(10));
  if (!line) {
    process_->wait(std::chrono::milliseconds(200));
    throw std::runtime_error(binary().string() + " did not get ready:\n" + process_->out() + process_->err());
  }
  started_in_ =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  http_port_ = port_of(*line, "http");
  rtmp_port_ = port_of(*line, "rtmp");
  srt_port_ = port_of(*line, "srt");
}

std::optional<int> Server::stop(std::chrono::milliseconds limit) {
  ended_ = true;
  process_->signal(SIGTERM);
  const auto code = process_->wait(limit);
  if (!code) process_->kill();
  return code;
}

void Server::kill() {
  ended_ = true;
  process_->kill();
}

}  // namespace lookback::support
