#include "server/ingest/rtmp/flv_tag.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>

#include "packager/media/audio_packet.hpp"
#include "packager/media/av1.hpp"
#include "packager/media/flac.hpp"
#include "packager/media/opus.hpp"
#include "packager/media/picture.hpp"
#include "packager/media/vp9.hpp"
#include "server/errc.hpp"

namespace lookback::server::rtmp {
namespace {

using packager::Codec;
using packager::MediaKind;
using packager::TrackFormat;

/// A clock that far from zero (285,000 years) was driven there by jumps: it starts anew, so that it cannot
/// overflow.
constexpr std::int64_t max_clock_ms = std::numeric_limits<std::int64_t>::max() / 1'024;

constexpr std::int32_t max_composition_ms = std::numeric_limits<std::int32_t>::max() / 1'000;

bool describes_itself(Codec codec) {
  return codec == Codec::ac3 || codec == Codec::eac3 || codec == Codec::mp3;
}

/// The format of a configuration as RTMP carries it.
Result<TrackFormat> read_config(Codec codec, ByteSpan body) {
  if (codec == Codec::opus) {
    const auto box = body.empty() ? packager::default_opus_config() : packager::opus_config(body);
    if (!box) return box.error();
    return packager::parse_opus_config(*box);
  }
  if (codec == Codec::flac) {
    const auto streaminfo = packager::flac_streaminfo(body);
    if (!streaminfo) return streaminfo.error();
    return packager::parse_flac_config(*streaminfo);
  }
  return packager::parse_config(codec, body);
}

/// VP9's size stands in key pictures alone, and AV1's sequence header may.
bool needs_key_picture(Codec codec, ByteSpan record) {
  return codec == Codec::vp9 || (codec == Codec::av1 && packager::lacks_sequence_header(record));
}

Result<TrackFormat> complete(Codec codec, ByteSpan record, ByteSpan key_picture) {
  const auto config = codec == Codec::vp9 ? packager::vp9_config(record, key_picture)
                                          : packager::av1_config(record, key_picture);
  if (!config) return config.error();
  return packager::parse_config(codec, *config);
}

/// What the parsers mean by unsupported_codec.
std::string unsupported_kind(Codec codec) {
  switch (codec) {
    case Codec::aac:
      return "AAC other than LC and HE";
    case Codec::eac3:
      return "E-AC-3 with several programmes or short frames";
    default:
      return "MPEG audio other than layer III of MPEG-1 and MPEG-2";
  }
}

bool well_formed(const TrackFormat& format, const FlvPacket& packet) {
  if (std::abs(packet.composition_ms) > max_composition_ms) return false;
  switch (packet.codec) {
    case Codec::avc:
    case Codec::hevc:
      return packager::nal_units_fit(packet.body, format.nal_length_size);
    case Codec::av1:
      return packager::obus_fit(packet.body);
    case Codec::vp9:
      return packet.sync == packager::is_vp9_key_picture(packet.body);
    default:
      return true;
  }
}

}  // namespace

std::int64_t TimestampUnwrapper::unwrap_ms(std::uint32_t timestamp_ms) {
  if (!last_ || std::abs(*last_) > max_clock_ms) {
    last_ = timestamp_ms;
  } else {
    *last_ += static_cast<std::int32_t>(timestamp_ms - static_cast<std::uint32_t>(*last_));
  }
  return *last_;
}

Result<FlvItem> FlvReader::video(const Slice& payload, std::uint32_t timestamp_ms) {
  if (payload.bytes.empty()) {  // encoders send these to keep a connection open
    ++dropped_.empty;
    return FlvItem{};
  }
  return take(MediaKind::video, read_video_packet(payload.bytes), payload, timestamp_ms);
}

Result<FlvItem> FlvReader::audio(const Slice& payload, std::uint32_t timestamp_ms) {
  if (payload.bytes.empty()) {
    ++dropped_.empty;
    return FlvItem{};
  }
  return take(MediaKind::audio, read_audio_packet(payload.bytes), payload, timestamp_ms);
}

/// Time counts on with media only: configurations may have any.
Result<FlvItem> FlvReader::take(MediaKind kind, const Result<FlvPacket>& read, const Slice& payload,
                                std::uint32_t timestamp_ms) {
  if (!read) return read.error();
  const auto is_media = [](const FlvPacket& packet) { return packet.kind == FlvPacket::Kind::media; };
  std::int64_t dts_ms = 0;
  if (is_media(*read) || std::ranges::any_of(read->more, is_media)) dts_ms = clock_.unwrap_ms(timestamp_ms);
  auto item = take_one(kind, *read, payload, dts_ms);
  if (!item) return item;
  for (const auto& packet : read->more) {
    auto other = take_one(kind, packet, payload, dts_ms);
    if (!other) return other;
    item->more.push_back(std::move(*other));
  }
  return item;
}

Result<FlvItem> FlvReader::take_one(MediaKind kind, const FlvPacket& packet, const Slice& payload,
                                    std::int64_t dts_ms) {
  if (!packet.unsupported.empty()) return unsupported(packet.unsupported);
  if (packet.kind == FlvPacket::Kind::none) return FlvItem{};
  auto* of = track({kind, packet.track});
  if (!of) {
    return unsupported("More than " + std::to_string(max_tracks_) +
                       (kind == MediaKind::video ? " video tracks" : " audio tracks"));
  }
  auto item = packet.kind == FlvPacket::Kind::config ? configure(*of, packet)
                                                     : take_frame(*of, packet, payload, dts_ms);
  if (item) item->number = packet.track;
  return item;
}

/// Null: the source has as many of that kind as it may have.
FlvReader::Track* FlvReader::track(packager::SourceTrack id) {
  std::size_t of_kind = 0;
  for (auto& each : tracks_) {
    if (each.id == id) return &each;
    if (each.id.kind == id.kind) ++of_kind;
  }
  if (of_kind >= max_tracks_) return nullptr;
  return &tracks_.emplace_back(Track{id, std::nullopt, {}});
}

void FlvReader::set_language(std::uint8_t track, std::string language) {
  languages_[track] = std::move(language);
}

std::vector<packager::SourceTrack> FlvReader::tracks() const {
  std::vector<packager::SourceTrack> out;
  for (const auto& each : tracks_) {
    if (each.format) out.push_back(each.id);
  }
  return out;
}

Result<FlvItem> FlvReader::take_frame(Track& track, const FlvPacket& packet, const Slice& payload,
                                      std::int64_t dts_ms) {
  if (packet.body.empty()) {
    ++dropped_.empty;
    return FlvItem{};
  }
  FlvItem item;
  const auto readable = describe(track, packet, item);
  if (!readable) return refuse(packet.codec, readable.error());
  if (!track.format || track.format->codec != packet.codec) {
    ++dropped_.unconfigured;
    return item;
  }
  const bool is_video = track.is_video();
  const auto ticks = is_video ? 0 : packager::packet_ticks(*track.format, packet.body);
  if (!*readable || !well_formed(*track.format, packet) || (!is_video && ticks == 0)) {
    ++dropped_.damaged;
    return item;
  }
  auto media = Slice{payload.owner, packet.body};
  if (packet.codec == Codec::av1) {
    const auto skipped = packager::temporal_delimiter_bytes(media.bytes);
    media = media.sub(skipped, media.size() - skipped);
  }
  if (media.bytes.empty()) {
    ++dropped_.empty;
    return item;
  }
  item.sample = packager::SourceSample{.kind = is_video ? MediaKind::video : MediaKind::audio,
                                       .dts_us = dts_ms * 1'000 + packet.offset_ns / 1'000,
                                       .composition_us = packet.composition_ms * 1'000,
                                       .sync = !is_video || packet.sync,
                                       .payload = std::move(media),
                                       .ticks = ticks,
                                       .number = packet.track};
  return item;
}

/// FFmpeg announces a track before it knows its configuration (AAC out of MPEG-TS), and encoders repeat
/// theirs: only one that is there and different is news.
Result<FlvItem> FlvReader::configure(Track& track, const FlvPacket& packet) {
  if (describes_itself(packet.codec)) return FlvItem{};
  if (packet.body.empty() && packet.codec != Codec::opus) return FlvItem{};
  track.record.clear();
  if (needs_key_picture(packet.codec, packet.body)) {
    track.record.assign(packet.body.begin(), packet.body.end());
    return FlvItem{};
  }
  auto format = read_config(packet.codec, packet.body);
  if (!format) return refuse(packet.codec, format.error());
  FlvItem item;
  adopt(track, std::move(*format), item);
  return item;
}

void FlvReader::adopt(Track& track, TrackFormat next, FlvItem& item) const {
  const auto language = languages_.find(track.id.number);
  if (!track.is_video() && language != languages_.end()) next.language = language->second;
  if (track.format == next) return;
  track.format = next;
  item.format = std::move(next);
}

/// Takes the format that an access unit brings itself: every frame of AC-3, E-AC-3 and MP3, key pictures.
/// False: it cannot be read, though the track is known; before that it is an error.
Result<bool> FlvReader::describe(Track& track, const FlvPacket& packet, FlvItem& item) {
  const bool key = packet.sync && !track.record.empty() && needs_key_picture(packet.codec, track.record);
  if (!key && !describes_itself(packet.codec)) return true;
  const auto* known = track.format && track.format->codec == packet.codec ? &*track.format : nullptr;
  auto next = key ? complete(packet.codec, track.record, packet.body)
                  : packager::format_of_frame(packet.codec, packet.body, known);
  if (!next && known != nullptr) return false;
  if (!next) return next.error();
  adopt(track, std::move(*next), item);
  return true;
}

Result<FlvItem> FlvReader::refuse(Codec codec, const boost::system::error_code& error) {
  return error == packager::Errc::unsupported_codec ? unsupported(unsupported_kind(codec))
                                                    : Result<FlvItem>(error);
}

Result<FlvItem> FlvReader::unsupported(std::string name) {
  unsupported_codec_ = std::move(name);
  return Errc::unsupported_codec;
}

}  // namespace lookback::server::rtmp
