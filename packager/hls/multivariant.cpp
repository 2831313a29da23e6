#include <algorithm>
#include <array>
#include <cmath>

#include "packager/hls/names.hpp"
#include "packager/hls/presentation_builder.hpp"
#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

constexpr std::string_view audio_group = "audio";

/// What the playlist says of one track.
struct Entry {
  const PresentationTrack* track = nullptr;
  std::shared_ptr<const TrackFormat> format;  ///< of the newest media
  std::vector<std::string> codecs;            ///< of all its media
  BitRates rates, iframe_rates;
};
using Entries = std::vector<const Entry*>;

/// A closed range is what it is, whatever the stream has become since.
Entry measured(const PresentationTrack& track) {
  const auto measure = track.rendition->measure();
  Entry entry{&track, track.format, {}, measure.rates, measure.iframe_rates};
  for (const auto id : measure.init_ids) {
    const auto known = track.formats ? track.formats->find(id) : Formats::const_iterator{};
    if (!track.formats || known == track.formats->end()) continue;
    entry.format = known->second;
    entry.codecs.push_back(entry.format->codecs);
  }
  if (entry.codecs.empty()) entry.codecs.push_back(entry.format->codecs);
  return entry;
}

Entry entry_of(const PresentationTrack& track, const View& view) {
  if (view.type == View::Type::vod) return measured(track);
  return {&track, track.format, {track.format->codecs}, track.rates, track.iframe_rates};
}

Entries of_kind(const std::vector<Entry>& tracks, MediaKind kind) {
  Entries found;
  for (const auto& track : tracks)
    if (track.format->kind == kind) found.push_back(&track);
  return found;
}

void append_quoted(std::string& out, std::string_view attribute, std::string_view value) {
  out.append(attribute).append("=\"").append(value).append(1, '"');
}

std::string with_view(std::string name, const View& view) {
  if (!view.query.empty()) name.append(1, '?').append(view.query);
  return name;
}

void append_media(std::string& out, const Entry& audio, std::size_t index, const View& view) {
  out.append("#EXT-X-MEDIA:TYPE=AUDIO");
  append_quoted(out, ",GROUP-ID", audio_group);
  append_quoted(out, ",NAME", index == 0 ? "Audio" : "Audio " + std::to_string(index + 1));
  append_quoted(out, ",LANGUAGE", "und");
  out.append(index == 0 ? ",DEFAULT=YES" : ",DEFAULT=NO").append(",AUTOSELECT=YES");
  append_quoted(out, ",CHANNELS", std::to_string(audio.format->channels));
  append_quoted(out, ",URI", with_view(playlist_name(audio.track->rendition->track()), view));
  out.append(1, '\n');
}

/// Every format that playing the variant can meet, each once.
std::string codecs(const Entry& variant, const Entries& group) {
  auto formats = variant.codecs;
  for (const auto* track : group) formats.insert(formats.end(), track->codecs.begin(), track->codecs.end());
  std::string list;
  for (auto format = formats.begin(); format != formats.end(); ++format) {
    if (std::find(formats.begin(), format, *format) == format)
      list.append(list.empty() ? "" : ",").append(*format);
  }
  return list;
}

/// In whole kilobits. Live, a tenth on top: the playlist is read once, and what follows may be a little
/// larger (rfc8216bis 4.4.6.2: a live peak may not pass 125 %). The average never passes the peak.
BitRates shown(BitRates rates, const View& view) {
  if (view.type != View::Type::vod) rates.peak = rates.peak * 11 / 10;
  rates.peak = (rates.peak / 1000 + 1) * 1000;
  rates.average = std::clamp<std::uint64_t>(rates.average, 1, rates.peak);
  return rates;
}

/// The variant with the most expensive member of its group.
BitRates bandwidth(const Entry& variant, const Entries& group, const View& view) {
  BitRates rates, largest = variant.rates;
  if (variant.format->kind == MediaKind::video) std::swap(rates, largest);
  for (const auto* track : group) {
    largest.peak = std::max(largest.peak, track->rates.peak);
    largest.average = std::max(largest.average, track->rates.average);
  }
  return shown({rates.peak + largest.peak, rates.average + largest.average}, view);
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

void append_resolution(std::string& out, const TrackFormat& format) {
  out.append(",RESOLUTION=").append(std::to_string(format.display_width));
  out.append(1, 'x').append(std::to_string(format.display_height));
}

void append_picture(std::string& out, const Entry& video) {
  const auto& format = *video.format;
  append_resolution(out, format);
  const FrameRate coded{format.frame_rate_num, format.frame_rate_den};
  const auto rate = frame_rate_text(coded.num != 0 && coded.den != 0 ? coded : video.track->measured);
  if (!rate.empty()) out.append(",FRAME-RATE=").append(rate);
  out.append(",VIDEO-RANGE=").append(range_text(format.range));
}

void append_rates(std::string& out, const BitRates& rates) {
  out.append("BANDWIDTH=").append(std::to_string(rates.peak));
  out.append(",AVERAGE-BANDWIDTH=").append(std::to_string(rates.average));
}

void append_variant(std::string& out, const Entry& variant, const Entries& group, const View& view) {
  out.append("#EXT-X-STREAM-INF:");
  append_rates(out, bandwidth(variant, group, view));
  append_quoted(out, ",CODECS", codecs(variant, group));
  if (variant.format->kind == MediaKind::video) append_picture(out, variant);
  out.append(",CLOSED-CAPTIONS=NONE");
  if (!group.empty()) append_quoted(out, ",AUDIO", audio_group);
  out.append(1, '\n').append(with_view(playlist_name(variant.track->rendition->track()), view));
  out.append(1, '\n');
}

/// rfc8216bis 4.4.6.3
void append_iframes(std::string& out, const Entry& video, const View& view) {
  if (video.iframe_rates.peak == 0) return;
  out.append("#EXT-X-I-FRAME-STREAM-INF:");
  append_rates(out, shown(video.iframe_rates, view));
  append_quoted(out, ",CODECS", codecs(video, {}));
  append_resolution(out, *video.format);
  out.append(",VIDEO-RANGE=").append(range_text(video.format->range));
  append_quoted(out, ",URI", with_view(iframes_name(video.track->rendition->track()), view));
  out.append(1, '\n');
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

std::string multivariant_text(const std::vector<PresentationTrack>& tracks, const View& view) {
  std::vector<Entry> entries;
  for (const auto& track : tracks) entries.push_back(entry_of(track, view));
  const auto audio = of_kind(entries, MediaKind::audio), video = of_kind(entries, MediaKind::video);
  const auto group = video.empty() && audio.size() < 2 ? Entries{} : audio;
  const auto variants = video.empty() && !audio.empty() ? Entries{audio.front()} : video;

  std::string out = "#EXTM3U\n";
  if (!group.empty()) out.append("#EXT-X-VERSION:4\n");  // renditions (RFC 8216 7)
  const auto independent = [](const PresentationTrack& track) { return track.independent; };
  if (std::all_of(tracks.begin(), tracks.end(), independent)) out.append("#EXT-X-INDEPENDENT-SEGMENTS\n");
  for (std::size_t i = 0; i < group.size(); ++i) append_media(out, *group[i], i, view);
  for (const auto* variant : variants) append_variant(out, *variant, group, view);
  for (const auto* track : video) append_iframes(out, *track, view);
  return out;
}

}  // namespace lookback::packager::hls
