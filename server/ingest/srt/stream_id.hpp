#pragma once
#include <string>
#include <string_view>

#include "store/base/result.hpp"

namespace lookback::server::srt {

/// What a caller asks for with its stream id.
struct StreamRequest {
  std::string stream;          ///< "live/news"; anything a peer can send: not yet checked
  std::string key;             ///< the secret, empty when none came
  std::string encoder;         ///< what the caller calls itself; empty: it does not say
  bool backup = false;         ///< a second publisher that stands by
  std::string rendition = {};  ///< of NAME@RENDITION; empty: none was named
};

/// Reads a stream id, at most 512 bytes:
///
///     #!::r=live/NAME,m=publish,u=USER,s=SECRET   SRT Access Control, fields in any order; r may have
///     ?key=SECRET
///     #!::u=KEY,bmd_uuid=...,bmd_name=...         Blackmagic: the key as a user pastes it, NAME or
///     NAME?key=SECRET publish:NAME[:USER:SECRET] VHOST/APP/STREAM, APP/NAME, NAME            each also with
///     ?key=SECRET (empty)                                     `fixed`, the stream of the port
///
/// A name without a slash is one below "live": live/NAME. Each NAME may be NAME@RENDITION. `backup=1`, as a
/// field or in the query, makes it the backup publisher. Pure. Errors: no_stream (an empty one, on a port
/// without a stream), bad_mode (to play; this server only takes streams in), bad_stream_id (malformed; a
/// known field twice; no stream in it; t other than stream).
Result<StreamRequest> parse_stream_id(std::string_view stream_id, std::string_view fixed);

}  // namespace lookback::server::srt
