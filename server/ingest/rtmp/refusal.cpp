#include "server/ingest/rtmp/refusal.hpp"

#include "server/errc.hpp"

namespace lookback::server::rtmp {
namespace {

constexpr std::string_view bad_name = "NetStream.Publish.BadName";
constexpr std::string_view rejected = "NetStream.Publish.Rejected";
constexpr std::string_view failed = "NetStream.Publish.Failed";

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
  if (error == Errc::already_backed_up) {
    return {bad_name, "This stream has a backup publisher already: stop it first"};
  }
  if (error == Errc::too_many_connections) {
    return {rejected,
            "This stream has as many connections as it may have: stop one, or raise limits.max_feeds"};
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

}  // namespace lookback::server::rtmp
