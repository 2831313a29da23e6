#include "server/errc.hpp"

#include <string>

namespace lookback::server {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "lookback.server"; }

  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bad_handshake:
        return "not an RTMP handshake";
      case Errc::bad_chunk:
        return "RTMP chunk breaks the protocol";
      case Errc::message_too_large:
        return "message too large";
      case Errc::too_many_chunk_streams:
        return "too many chunk streams";
      case Errc::bad_amf:
        return "malformed AMF0 value";
      case Errc::amf_too_deep:
        return "AMF0 value nested too deep or with too many properties";
      case Errc::bad_command:
        return "command with wrong arguments or in the wrong state";
      case Errc::bad_tag:
        return "malformed FLV tag";
      case Errc::unsupported_codec:
        return "unsupported codec";
      case Errc::bad_stream_name:
        return "bad stream name";
      case Errc::reserved_stream_name:
        return "reserved stream name";
      case Errc::wrong_key:
        return "wrong or missing key";
      case Errc::already_publishing:
        return "the stream has a publisher";
      case Errc::too_many_streams:
        return "too many streams";
      case Errc::timed_out:
        return "timed out";
      case Errc::too_slow:
        return "too slow";
      case Errc::shutting_down:
        return "the server is stopping";
      case Errc::store_failed:
        return "the store failed";
      case Errc::too_many_recordings:
        return "too many recordings";
      case Errc::nothing_stored:
        return "nothing is stored in this time";
      case Errc::recording_locked:
        return "the recording is locked";
      case Errc::bad_stream_id:
        return "malformed SRT stream id";
      case Errc::no_stream:
        return "the SRT stream id is empty, and the port has no stream of its own";
      case Errc::bad_mode:
        return "this port takes publishers only; streams play by HLS";
      case Errc::too_many_connections:
        return "too many connections";
      case Errc::already_backed_up:
        return "the stream has a backup publisher";
      case Errc::bad_certificate:
        return "the certificate and its key cannot be used";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& server_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc e) { return {static_cast<int>(e), server_category()}; }

}  // namespace lookback::server
