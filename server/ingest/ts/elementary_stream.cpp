#include "server/ingest/ts/elementary_stream.hpp"

#include "server/ingest/ts/aac_stream.hpp"
#include "server/ingest/ts/avc_stream.hpp"
#include "server/ingest/ts/dolby_stream.hpp"
#include "server/ingest/ts/hevc_stream.hpp"
#include "server/ingest/ts/latm_stream.hpp"
#include "server/ingest/ts/mp3_stream.hpp"
#include "server/ingest/ts/opus_stream.hpp"

namespace lookback::server::ts {

std::unique_ptr<ElementaryStream> make_elementary_stream(const StreamInfo& info, Counts& counts) {
  switch (info.kind) {
    case StreamKind::avc:
      return std::make_unique<AvcStream>(counts);
    case StreamKind::hevc:
      return std::make_unique<HevcStream>(counts);
    case StreamKind::aac:
      return std::make_unique<AacStream>(counts);
    case StreamKind::latm:
      return std::make_unique<LatmStream>(counts);
    case StreamKind::ac3:
      return std::make_unique<Ac3Stream>(counts);
    case StreamKind::eac3:
      return std::make_unique<Eac3Stream>(counts);
    case StreamKind::mpeg_audio:
      return std::make_unique<Mp3Stream>(counts);
    case StreamKind::opus:
      return OpusStream::make(info.opus_channels, counts);
    default:
      return nullptr;
  }
}

}  // namespace lookback::server::ts
