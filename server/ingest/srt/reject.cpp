#include "server/ingest/srt/reject.hpp"

#include <srt/access_control.h>

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

}  // namespace lookback::server::srt
