#include <algorithm>
#include <array>
#include <cmath>

#include "packager/hls/names.hpp"
#include "packager/hls/presentation_builder.hpp"
#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

using Tracks = std::vector<const PresentationTrack*>;
constexpr std::string_view audio_group = "audio";

Tracks of_kind(const std::vector<PresentationTrack>& tracks, MediaKind kind) {
  Tracks found;
  for (const auto& track : tracks)
    if (track.format->kind == kind) found.push_back(&track);
  return found;
}

void append_quoted(std::string& out, std::string_view attribute, std::string_view value) {
  out.append(attribute).append("=\"").append(value).append(1, '"');
}

void append_media(std::string& out, const PresentationTrack& audio, std::size_t index) {
  out.append("#EXT-X-MEDIA:TYPE=AUDIO");
  append_quoted(out, ",GROUP-ID", audio_group);
  append_quoted(out, ",NAME", index == 0 ? "Audio" : "Audio " + std::to_string(index + 1));
  append_quoted(out, ",LANGUAGE", "und");
  out.append(index == 0 ? ",DEFAULT=YES" : ",DEFAULT=NO").append(",AUTOSELECT=YES");
  append_quoted(out, ",CHANNELS", std::to_string(audio.format->channels));
  append_quoted(out, ",URI", playlist_name(audio.rendition->track()));
  out.append(1, '\n');
}

/// Every format that playing the variant can meet, each once.
std::string codecs(const PresentationTrack& variant, const Tracks& group) {
  std::vector<std::string> formats{variant.format->codecs};
  for (const auto* track : group)
    if (std::find(formats.begin(), formats.end(), track->format->codecs) == formats.end())
      formats.push_back(track->format->codecs);
  std::string list;
  for (const auto& format : formats) list.append(list.empty() ? "" : ",").append(format);
  return list;
}

/// The variant with the most expensive member of its group. A tenth on top, in whole kilobits: the playlist
/// is read once, and what follows may be a little larger (rfc8216bis 4.4.6.2: a live peak may not pass 125
/// %).
BitRates bandwidth(const PresentationTrack& variant, const Tracks& group) {
  BitRates rates, largest = variant.rates;
  if (variant.format->kind == MediaKind::video) std::swap(rates, largest);
  for (const auto* track : group) {
    largest.peak = std::max(largest.peak, track->rates.peak);
    largest.average = std::max(largest.average, track->rates.average);
  }
  rates.peak = ((rates.peak + largest.peak) * 11 / 10 / 1000 + 1) * 1000;
  rates.average = std::clamp<std::uint64_t>(rates.average + largest.average, 1, rates.peak);
  return rates;
}

std::string_view range_text(VideoRange range) {
  switch (range) {
    case VideoRange::hlg:
      return "HLG";
    case VideoRange::pq:
      return "PQ";
    case VideoRange::sdr:
      break;
  }
  return "SDR";
}

void append_picture(std::string& out, const PresentationTrack& video) {
  const auto& format = *video.format;
  out.append(",RESOLUTION=").append(std::to_string(format.display_width));
  out.append(1, 'x').append(std::to_string(format.display_height));
  const FrameRate coded{format.frame_rate_num, format.frame_rate_den};
  const auto rate = frame_rate_text(coded.num != 0 && coded.den != 0 ? coded : video.measured);
  if (!rate.empty()) out.append(",FRAME-RATE=").append(rate);
  out.append(",VIDEO-RANGE=").append(range_text(format.range));
}

void append_variant(std::string& out, const PresentationTrack& variant, const Tracks& group) {
  const auto rates = bandwidth(variant, group);
  out.append("#EXT-X-STREAM-INF:BANDWIDTH=").append(std::to_string(rates.peak));
  out.append(",AVERAGE-BANDWIDTH=").append(std::to_string(rates.average));
  append_quoted(out, ",CODECS", codecs(variant, group));
  if (variant.format->kind == MediaKind::video) append_picture(out, variant);
  out.append(",CLOSED-CAPTIONS=NONE");
  if (!group.empty()) append_quoted(out, ",AUDIO", audio_group);
  out.append(1, '\n').append(playlist_name(variant.rendition->track())).append(1, '\n');
}

}  // namespace

std::string frame_rate_text(FrameRate rate) {
  if (rate.num == 0 || rate.den == 0) return {};
  constexpr std::array<FrameRate, 8> standard{
      {{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {50, 1}, {60000, 1001}, {60, 1}}};
  const auto value = [](FrameRate r) { return static_cast<double>(r.num) / r.den; };
  const auto off = [&](FrameRate r) { return std::abs(value(r) / value(rate) - 1); };
  const auto nearest = *std::min_element(standard.begin(), standard.end(),
                                         [&](FrameRate a, FrameRate b) { return off(a) < off(b); });
  const auto shown = off(nearest) <= 0.005 ? nearest : rate;
  const auto thousandths = (std::uint64_t{shown.num} * 1000 + shown.den / 2) / shown.den;
  std::string text;
  append_duration(text, static_cast<std::int64_t>(thousandths) * 1000);
  text.resize(text.size() - 3);
  return text;
}

std::string multivariant_text(const std::vector<PresentationTrack>& tracks) {
  const auto audio = of_kind(tracks, MediaKind::audio);
  auto variants = of_kind(tracks, MediaKind::video);
  const auto group = variants.empty() && audio.size() < 2 ? Tracks{} : audio;
  if (variants.empty() && !audio.empty()) variants.push_back(audio.front());

  std::string out = "#EXTM3U\n";
  if (!group.empty()) out.append("#EXT-X-VERSION:4\n");  // renditions (RFC 8216 7)
  const auto independent = [](const PresentationTrack& track) { return track.independent; };
  if (std::all_of(tracks.begin(), tracks.end(), independent)) out.append("#EXT-X-INDEPENDENT-SEGMENTS\n");
  for (std::size_t i = 0; i < group.size(); ++i) append_media(out, *group[i], i);
  for (const auto* variant : variants) append_variant(out, *variant, group);
  return out;
}

}  // namespace lookback::packager::hls
