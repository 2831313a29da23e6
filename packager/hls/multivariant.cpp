#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "packager/hls/names.hpp"
#include "packager/hls/presentation_builder.hpp"
#include "packager/hls/text.hpp"
#include "packager/media/language.hpp"

namespace lookback::packager::hls {
namespace {

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

/// A rendition that has nothing but gaps, and gets nothing else, unless they all are such.
void leave_out_silent(std::vector<Entry>& entries, const View& view) {
  const auto is_silent = [&](const Entry& entry) {
    return entry.rates.average == 0 && (view.type == View::Type::vod || !entry.track->current);
  };
  if (!std::ranges::all_of(entries, is_silent)) std::erase_if(entries, is_silent);
}

void append_quoted(std::string& out, std::string_view attribute, std::string_view value) {
  out.append(attribute).append("=\"").append(value).append(1, '"');
}

std::string with_view(std::string name, const View& view) {
  if (!view.query.empty()) name.append(1, '?').append(view.query);
  return name;
}

/// Audio tracks of one codec, of which a player chooses one: a language. A player that chooses by codec
/// chooses a variant (rfc8216bis 4.4.6.1.1, 4.4.6.2.1).
struct Group {
  std::string id;
  Entries members;
};

std::string_view codec_name(Codec codec) {
  switch (codec) {
    case Codec::ac3:
      return "ac-3";
    case Codec::eac3:
      return "ec-3";
    case Codec::opus:
      return "opus";
    case Codec::mp3:
      return "mp3";
    case Codec::flac:
      return "flac";
    default:
      return "aac";
  }
}

std::vector<Group> groups_of(const Entries& audio) {
  std::vector<Group> groups;
  for (const auto* track : audio) {
    const auto codec = track->format->codec;
    const auto is_it = [&](const Group& group) { return group.members.front()->format->codec == codec; };
    const auto known = std::ranges::find_if(groups, is_it);
    if (known != groups.end()) {
      known->members.push_back(track);
    } else {
      groups.push_back({std::string("audio-").append(codec_name(codec)), {track}});
    }
  }
  if (groups.size() == 1) groups.front().id = "audio";
  return groups;
}

void append_media(std::string& out, const Group& group, const Entry& audio, const std::string& name,
                  bool first_of_language, const View& view) {
  const auto language = language_of(audio.format->language);
  const bool is_default = &audio == group.members.front();
  out.append("#EXT-X-MEDIA:TYPE=AUDIO");
  append_quoted(out, ",GROUP-ID", group.id);
  append_quoted(out, ",NAME", name);
  append_quoted(out, ",LANGUAGE", language.tag);
  out.append(is_default ? ",DEFAULT=YES" : ",DEFAULT=NO");
  out.append(first_of_language ? ",AUTOSELECT=YES" : ",AUTOSELECT=NO");
  append_quoted(out, ",CHANNELS", std::to_string(audio.format->channels));
  append_quoted(out, ",URI", with_view(playlist_name(audio.track->rendition->track()), view));
  out.append(1, '\n');
}

/// Names differ inside of a group, and a language is chosen automatically once (4.4.6.1.1).
void append_group(std::string& out, const Group& group, const View& view) {
  std::map<std::string, int> named;
  for (const auto* audio : group.members) {
    const auto language = language_of(audio->format->language);
    auto name = language.name.empty() ? std::string("Audio") : language.name;
    const auto count = ++named[name];
    if (count > 1) name.append(1, ' ').append(std::to_string(count));
    // Without languages there is nothing to tell them apart by: each may be chosen, as before there were any.
    append_media(out, group, *audio, name, count == 1 || audio->format->language.empty(), view);
  }
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

/// `group`: null when there is no choice of audio.
void append_variant(std::string& out, const Entry& variant, const Group* group, const View& view) {
  const auto members = group ? group->members : Entries{};
  out.append("#EXT-X-STREAM-INF:");
  append_rates(out, bandwidth(variant, members, view));
  append_quoted(out, ",CODECS", codecs(variant, members));
  if (variant.format->kind == MediaKind::video) append_picture(out, variant);
  out.append(",CLOSED-CAPTIONS=NONE");
  if (group) append_quoted(out, ",AUDIO", group->id);
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
  leave_out_silent(entries, view);
  const auto audio = of_kind(entries, MediaKind::audio), video = of_kind(entries, MediaKind::video);
  const auto groups = video.empty() && audio.size() < 2 ? std::vector<Group>{} : groups_of(audio);

  std::string out = "#EXTM3U\n";
  if (!groups.empty()) out.append("#EXT-X-VERSION:4\n");  // renditions (RFC 8216 7)
  const auto independent = [](const Entry& entry) { return entry.track->independent; };
  if (std::ranges::all_of(entries, independent)) out.append("#EXT-X-INDEPENDENT-SEGMENTS\n");
  for (const auto& group : groups) append_group(out, group, view);
  for (const auto* picture : video) {
    for (const auto& group : groups) append_variant(out, *picture, &group, view);
    if (groups.empty()) append_variant(out, *picture, nullptr, view);
  }
  if (video.empty()) {
    for (const auto& group : groups) append_variant(out, *group.members.front(), &group, view);
    if (groups.empty() && !audio.empty()) append_variant(out, *audio.front(), nullptr, view);
  }
  for (const auto* track : video) append_iframes(out, *track, view);
  return out;
}

}  // namespace lookback::packager::hls
