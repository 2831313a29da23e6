#include "server/ingest/rtmp/dialogue.hpp"

#include <algorithm>
#include <string>

#include "server/ingest/rtmp/big_endian.hpp"

namespace lookback::server::rtmp {
namespace {

constexpr std::uint64_t ping_request_event = 6;  // RTMP 1.0 7.1.7

}  // namespace

Dialogue::Dialogue(const Options& options, std::uint64_t seed)
    : amf_limits_{.depth = options.max_amf_depth, .properties = options.max_amf_properties},
      handshake_(seed),
      chunks_(options),
      commands_(amf_limits_, replies_),
      flv_(options.max_tracks) {}

Result<Step> Dialogue::feed(ByteSpan& input) {
  const auto available = input.size();
  const auto step = feed_chunks(input);
  counts_.bytes += available - input.size();
  acknowledge();
  return step;
}

Result<Step> Dialogue::feed_chunks(ByteSpan& input) {
  if (!handshaken_) {
    const auto done = handshake_.feed(input, replies_.bytes());
    if (!done) return done.error();
    if (!*done) return Step::more;
    handshaken_ = true;
  }
  for (;;) {
    const auto message = chunks_.next(input);
    if (!message) return message.error();
    if (!*message) return Step::more;
    const auto step = take(**message);
    if (!step || *step != Step::more) return step;
  }
}

Result<Step> Dialogue::take(const Message& message) {
  auto body = message.payload.bytes;
  switch (message.type) {
    case MessageType::audio:
    case MessageType::video:
      return take_media(message);
    case MessageType::command_amf3:
    case MessageType::data_amf3:
      // What encoders send here is AMF0 behind a byte that says so.
      if (body.empty() || body.front() != std::byte{0}) return Errc::bad_amf;
      body = body.subspan(1);
      if (message.type == MessageType::command_amf3) return commands_.handle(body, message.stream_id);
      take_data(body);
      return Step::more;
    case MessageType::command_amf0:
      return commands_.handle(body, message.stream_id);
    case MessageType::data_amf0:
      take_data(body);
      return Step::more;
    case MessageType::user_control:
      return take_user_control(body);
    case MessageType::window_ack_size:
      if (body.size() < 4) return Errc::bad_chunk;
      ack_window_ = static_cast<std::uint32_t>(load_be(body, 4));
      return Step::more;
    default:
      return Step::more;  // acknowledgements, bandwidth, shared objects: nothing for us
  }
}

/// Media outside of a publication is ignored: encoders may send ahead of the answer.
Result<Step> Dialogue::take_media(const Message& message) {
  if (!commands_.publishing()) return Step::more;
  const bool is_video = message.type == MessageType::video;
  auto item = is_video ? flv_.video(message.payload, message.timestamp_ms)
                       : flv_.audio(message.payload, message.timestamp_ms);
  if (!item) {
    commands_.end_publish({"NetStream.Publish.Failed", describe(item.error())});
    return item.error();
  }
  tell(*item, is_video);
  for (auto& other : item->more) tell(other, is_video);
  return Step::more;
}

/// A connection with several tracks of a kind says which it has: more of them may follow at once.
void Dialogue::tell(FlvItem& item, bool is_video) {
  if (item.format) {
    auto tracks = flv_.tracks();
    const bool several = std::ranges::any_of(tracks, [&](packager::SourceTrack track) {
      return std::ranges::count(tracks, track.kind, &packager::SourceTrack::kind) > 1;
    });
    if (several && tracks.size() != listed_) {
      listed_ = tracks.size();
      events_.emplace_back(TrackList{std::move(tracks), true});
    }
    events_.emplace_back(FormatChange{std::move(*item.format), item.number});
  }
  if (item.sample) {
    ++(is_video ? counts_.video_frames : counts_.audio_frames);
    events_.emplace_back(std::move(*item.sample));
  }
}

Result<Step> Dialogue::take_user_control(ByteSpan body) {
  if (body.size() < 2) return Errc::bad_chunk;
  const auto event = load_be(body, 2);
  if (event != ping_request_event) return Step::more;
  if (body.size() < 6) return Errc::bad_chunk;
  replies_.ping_response(static_cast<std::uint32_t>(load_be(body.subspan(2), 4)));
  return Step::more;
}

/// "@setDataFrame", "onMetaData", properties; some encoders leave the first out.
void Dialogue::take_data(ByteSpan body) {
  const auto values = amf0::decode(body, amf_limits_);
  if (!values) {
    ++counts_.bad_metadata;
    return;
  }
  std::size_t at = 0;
  const auto is = [&](const char* name) {
    return at < values->size() && (*values)[at].string() && *(*values)[at].string() == name;
  };
  if (is("@setDataFrame")) ++at;
  if (!is("onMetaData") || at + 1 >= values->size()) return;
  const auto* encoder = (*values)[at + 1].find("encoder");
  if (encoder && encoder->string()) encoder_ = loggable(*encoder->string());
  take_languages((*values)[at + 1]);
}

/// "audioTrackIdInfoMap": properties of each track, by its number; `language` among them is ISO 639-2.
void Dialogue::take_languages(const amf0::Value& metadata) {
  const auto* map = metadata.find("audioTrackIdInfoMap");
  if (map == nullptr) return;
  for (int track = 0; track <= 255; ++track) {
    const auto* info = map->find(std::to_string(track));
    const auto* language = info == nullptr ? nullptr : info->find("language");
    const auto* text = language == nullptr ? nullptr : language->string();
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    if (text != nullptr && text->size() == 3 && std::ranges::all_of(*text, is_letter))
      flv_.set_language(static_cast<std::uint8_t>(track), *text);
  }
}

/// At most once for all that one read has brought (RTMP 1.0 5.4.3).
void Dialogue::acknowledge() {
  if (ack_window_ == 0 || counts_.bytes - acknowledged_ < ack_window_) return;
  acknowledged_ = counts_.bytes;
  replies_.acknowledge(static_cast<std::uint32_t>(counts_.bytes));  // wraps, as the protocol says
}

std::string Dialogue::describe(const boost::system::error_code& error) const {
  if (error == Errc::unsupported_codec) {
    return flv_.unsupported_codec() +
           " is not supported: send video in H.264, HEVC, AV1 or VP9, and audio in AAC, Opus, AC-3, E-AC-3, "
           "MP3 "
           "or FLAC";
  }
  return error.message();
}

}  // namespace lookback::server::rtmp
