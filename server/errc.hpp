#pragma once
#include <boost/system/error_code.hpp>

namespace lookback::server {

/// What can go wrong between a peer and this server, for a reason outside the program.
enum class Errc {
  bad_handshake = 1,
  bad_chunk,  ///< RTMP chunk header breaks the protocol or a limit
  message_too_large,
  too_many_chunk_streams,
  bad_amf,  ///< AMF0 value is malformed
  amf_too_deep,
  bad_command,  ///< a command with arguments missing, of the wrong type or in the wrong state
  bad_tag,      ///< FLV tag is malformed
  unsupported_codec,
  bad_stream_name,  ///< not up to 3 parts of [A-Za-z0-9._-]{1,64}
  reserved_stream_name,
  wrong_key,
  already_publishing,  ///< the stream has a live publisher
  too_many_streams,
  timed_out,
  too_slow,  ///< the peer does not read what we send, or we cannot keep what it sends
  shutting_down,
  store_failed,
  too_many_recordings,  ///< of one stream, or in all
  nothing_stored,       ///< in a range of time that is over
  recording_locked,
  bad_stream_id,  ///< SRT's stream id is malformed
  no_stream,      ///< an empty SRT stream id on a port without a stream of its own
  bad_mode,       ///< asked to play where only publishers are taken
  too_many_connections,
  already_backed_up,  ///< the stream has a backup publisher
  bad_certificate,
};

const boost::system::error_category& server_category();
boost::system::error_code make_error_code(Errc e);

}  // namespace lookback::server

template <>
struct boost::system::is_error_code_enum<lookback::server::Errc> : std::true_type {};
