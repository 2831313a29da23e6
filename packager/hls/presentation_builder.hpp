#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "packager/hls/bit_rate.hpp"
#include "packager/hls/presentation.hpp"
#include "packager/media/track_format.hpp"

namespace lookback::packager::hls {

/// The served init segments of a track, by id.
using Inits = std::map<std::uint32_t, Slice>;

/// The formats of those inits.
using Formats = std::map<std::uint32_t, std::shared_ptr<const TrackFormat>>;

struct FrameRate {
  std::uint32_t num = 0, den = 0;  ///< frames per `den` seconds; 0: unknown
};

/// One rendition with what the multivariant playlist says of it. Cheap to copy: it is made anew after each
/// part.
struct PresentationTrack {
  std::shared_ptr<const TrackFormat> format;  ///< the current one: after a change, CODECS names the new one
  std::shared_ptr<const Rendition> rendition;
  std::shared_ptr<const Inits> inits;
  BitRates rates;
  bool independent = false;  ///< RenditionBuilder::independent()
  FrameRate measured;        ///< of the samples; used when the format does not tell
  BitRates iframe_rates;     ///< RenditionBuilder::iframe_rates(); 0: no I-frame playlist
  /// Of all inits that segments name; null: `format` is all there is. A closed view tells those of its range.
  std::shared_ptr<const Formats> formats;
  /// The publisher brings it now. One that it does not bring, and of which nothing but gaps is listed, is not
  /// offered.
  bool current = true;
};

/// Binds the renditions of one instant. Each video track becomes a variant with each group of audio tracks,
/// one group for each audio codec; without video the first audio track is the variant. `generation` is the
/// stream's (store::StreamRecord).
std::shared_ptr<const Presentation> make_presentation(std::string generation,
                                                      std::vector<PresentationTrack> tracks);

/// The text of the multivariant playlist (rfc8216bis 4.4.6). Playlists are named with the view's query. A vod
/// is measured segment by segment; live rates get room for what follows.
std::string multivariant_text(const std::vector<PresentationTrack>& tracks, const View& view);

/// FRAME-RATE as text: three decimals, the standard rate within 0.5 % of it if there is one ("29.970").
/// Empty: unknown.
std::string frame_rate_text(FrameRate rate);

}  // namespace lookback::packager::hls
