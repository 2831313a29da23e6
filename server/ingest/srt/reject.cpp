#include "server/ingest/srt/reject.hpp"

#include <fmt/format.h>
#include <srt/access_control.h>
#include <srt/srt.h>

#include "server/errc.hpp"

namespace lookback::server::srt {

int reject_code(const boost::system::error_code& error) {
  if (error == Errc::bad_stream_id || error == Errc::bad_stream_name) return SRT_REJX_BAD_REQUEST;
  if (error == Errc::wrong_key) return SRT_REJX_UNAUTHORIZED;
  if (error == Errc::reserved_stream_name) return SRT_REJX_FORBIDDEN;
  if (error == Errc::no_stream) return SRT_REJX_NOTFOUND;
  if (error == Errc::bad_mode) return SRT_REJX_BAD_MODE;
  if (error == Errc::already_publishing || error == Errc::already_backed_up) return SRT_REJX_CONFLICT;
  if (error == Errc::too_many_streams || error == Errc::too_many_connections) return SRT_REJX_OVERLOAD;
  if (error == Errc::shutting_down) return SRT_REJX_DOWN;
  return SRT_REJX_FALLBACK;
}

std::string refusal_in_words(int reason) {
  switch (reason) {
    case SRT_REJ_BADSECRET:
      return "the passphrase is wrong";
    case SRT_REJ_UNSECURE:
      return "only one of the two sides has a passphrase";
    case SRT_REJ_TIMEOUT:
    case SRT_REJ_UNKNOWN:
      return "nobody answers";
    case SRT_REJ_PEER:
      return "the remote side refuses the connection";
    case SRT_REJX_BAD_REQUEST:
      return "the remote side cannot read the stream id (1400)";
    case SRT_REJX_UNAUTHORIZED:
      return "the remote side does not take this key (1401)";
    case SRT_REJX_OVERLOAD:
      return "the remote side has too many connections (1402)";
    case SRT_REJX_FORBIDDEN:
      return "the remote side forbids this stream (1403)";
    case SRT_REJX_NOTFOUND:
      return "the remote side has no such stream (1404)";
    case SRT_REJX_BAD_MODE:
      return "the remote side does not send (1405)";
    case SRT_REJX_CONFLICT:
      return "the remote side says that the stream is in use (1409)";
    default:
      break;
  }
  if (reason >= SRT_REJC_PREDEFINED) return fmt::format("the remote side refuses with code {}", reason);
  return fmt::format("no connection: {}", srt_rejectreason_str(reason));
}

}  // namespace lookback::server::srt
