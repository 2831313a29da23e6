#include "server/ingest/rtmp/refusal.hpp"

#include <algorithm>

#include "server/errc.hpp"

namespace lookback::server::rtmp {
namespace {

constexpr std::string_view bad_name = "NetStream.Publish.BadName";
constexpr std::string_view rejected = "NetStream.Publish.Rejected";
constexpr std::string_view failed = "NetStream.Publish.Failed";

constexpr std::size_t max_name_bytes = 3 * 64 + 2;

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-' || c == '/';
}

}  // namespace

Refusal refusal(const boost::system::error_code& error) {
  if (error == Errc::bad_stream_name) {
    return {bad_name,
            "Bad stream name: use up to 3 parts of A-Z a-z 0-9 . _ - with 1 to 64 characters each, such as "
            "server rtmp://HOST/live and stream key NAME"};
  }
  if (error == Errc::reserved_stream_name) {
    return {bad_name,
            "The first part of this stream name is reserved: use another, such as rtmp://HOST/live"};
  }
  if (error == Errc::wrong_key) {
    return {rejected, "Wrong or missing key: set the stream key to NAME?key=SECRET"};
  }
  if (error == Errc::already_publishing) {
    return {bad_name, "This stream has a publisher already: stop it first, or use another stream name"};
  }
  if (error == Errc::too_many_streams) {
    return {rejected, "The server has as many streams as it may have: stop one, or raise the server's limit"};
  }
  if (error == Errc::shutting_down) {
    return {rejected, "The server is stopping: connect again in a few seconds"};
  }
  if (error == Errc::store_failed) {
    return {rejected, "The server cannot keep media now: see the server's log"};
  }
  if (error == Errc::timed_out)
    return {failed, "No data came for too long: check the network, then connect again"};
  return {failed, error.message()};
}

std::string loggable(std::string_view text, std::size_t max_bytes) {
  std::string out(text.substr(0, max_bytes));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > max_bytes) out += "...";
  return out;
}

std::string loggable_stream(std::string_view name) {
  const auto end = std::ranges::find_if_not(name, name_character) - name.begin();
  const auto shown = std::min(static_cast<std::size_t>(end), max_name_bytes);
  std::string out(name.substr(0, shown));
  if (shown < name.size()) out += "...";
  return out;
}

}  // namespace lookback::server::rtmp
