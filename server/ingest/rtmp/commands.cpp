#include "server/ingest/rtmp/commands.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "server/errc.hpp"
#include "server/ingest/ingest.hpp"
#include "server/ingest/rtmp/capabilities.hpp"

namespace lookback::server::rtmp {
namespace {

constexpr std::uint32_t window_bytes = 2'500'000;
/// Encoders that take over our size then send most frames in one piece: one wake-up of our thread, not four.
constexpr std::uint32_t chunk_size_bytes = 65'536;
constexpr std::size_t max_text_bytes = 1'024;  // app, tcUrl, publish name: above what any name and key need

/// A string argument of usable length.
const std::string* short_string(const amf0::Value* value) {
  const auto* text = value ? value->string() : nullptr;
  return text && text->size() <= max_text_bytes ? text : nullptr;
}

/// The version of a server that encoders know to take live streams, and what Enhanced RTMP wants to know of
/// those that speak it.
amf0::Value connect_properties(bool enhanced) {
  amf0::Object object{
      {{"fmsVer", {std::string("FMS/3,5,1,516")}}, {"capabilities", {31.0}}, {"mode", {1.0}}}};
  if (enhanced) add_capabilities(object);
  return {std::move(object)};
}

amf0::Value connect_information() {
  auto value = information("status", "NetConnection.Connect.Success", "Connected");
  std::get<amf0::Object>(value.data).properties.push_back({"objectEncoding", {0.0}});  // AMF0
  return value;
}

}  // namespace

const amf0::Value& Commands::Call::argument(std::size_t index) const {
  static const amf0::Value undefined{};
  return index < values.size() ? values[index] : undefined;
}

Result<Step> Commands::handle(ByteSpan message, std::uint32_t stream_id) {
  const auto values = amf0::decode(message, limits_);
  if (!values) return values.error();
  if (values->size() < 2) return Errc::bad_command;
  const auto* name = (*values)[0].string();
  const auto* transaction = (*values)[1].number();
  if (!name || !transaction || !std::isfinite(*transaction)) return Errc::bad_command;
  const Call call{*transaction, stream_id, *values};

  if (*name == "connect") return connect(call);
  if (state_ == State::idle) {
    replies_.error(call.transaction, "NetConnection.Call.Failed", "The first command must be connect");
    return Errc::bad_command;
  }
  if (*name == "createStream") return create_stream(call);
  if (*name == "publish") return publish(call);
  if (*name == "play" || *name == "play2") return play(call);
  if (*name == "deleteStream") return delete_stream(call);
  if (*name == "closeStream") return stream_id == publish_stream_ ? unpublish() : Step::more;
  if (*name == "FCUnpublish") return unpublish();
  if (*name == "releaseStream" || *name == "FCPublish" || *name == "_checkbw") {
    return plain_result(call, {amf0::Undefined{}});
  }
  if (*name == "getStreamLength") return plain_result(call, {0.0});
  return unknown(call, *name);
}

Result<Step> Commands::connect(const Call& call) {
  const auto& arguments = call.argument(2);
  const auto* app = short_string(arguments.find("app"));
  const auto* tc_url = arguments.find("tcUrl");
  const auto* tc_url_text = short_string(tc_url);
  if (state_ != State::idle || !app || app->empty() || (tc_url && !tc_url_text)) {
    replies_.error(call.transaction, "NetConnection.Connect.InvalidApp",
                   "Name an application, as in rtmp://HOST/live, and connect once");
    return Errc::bad_command;
  }
  app_ = *app;
  if (tc_url_text) tc_url_ = *tc_url_text;
  if (const auto* version = short_string(arguments.find("flashVer"))) encoder_ = loggable(*version);
  can_reconnect_ = takes_reconnect_request(arguments);
  state_ = State::connected;

  replies_.window_ack_size(window_bytes);
  replies_.set_peer_bandwidth(window_bytes);
  replies_.set_chunk_size(chunk_size_bytes);
  replies_.result(call.transaction, connect_properties(speaks_enhanced(arguments)), connect_information());
  return Step::more;
}

Result<Step> Commands::create_stream(const Call& call) {
  for (std::uint32_t id = 1; id <= max_streams; ++id) {
    if (streams_.test(id)) continue;
    streams_.set(id);
    return plain_result(call, {static_cast<double>(id)});
  }
  replies_.error(call.transaction, "NetConnection.Call.Failed",
                 fmt::format("A connection may have {} streams: delete one", max_streams));
  return Step::more;
}

Result<Step> Commands::publish(const Call& call) {
  const auto refused = [&](std::string_view description) {
    replies_.status(call.stream_id, "error", "NetStream.Publish.BadName", description);
  };
  if (state_ != State::connected) {
    refused("This connection publishes already: open another one for another stream");
    return Step::more;
  }
  if (call.stream_id == 0 || call.stream_id > max_streams || !streams_.test(call.stream_id)) {
    refused("Publish on a stream that createStream has made");
    return Errc::bad_command;
  }
  const auto* name = short_string(&call.argument(3));
  if (!name) {
    refused("Publish needs a stream name");
    return Errc::bad_command;
  }
  target_ = parse_publish_target(app_, tc_url_, *name);
  publish_stream_ = call.stream_id;
  state_ = State::asked;
  return Step::publish;
}

void Commands::accept_publish() {
  state_ = State::publishing;
  replies_.stream_begin(publish_stream_);
  replies_.status(publish_stream_, "status", "NetStream.Publish.Start", "Publishing " + target_.stream);
}

void Commands::refuse_publish(const Refusal& why) {
  state_ = State::connected;
  replies_.status(publish_stream_, "error", why.code, why.description);
}

void Commands::end_publish(const Refusal& why) {
  if (state_ != State::publishing) return;
  state_ = State::connected;
  replies_.status(publish_stream_, "error", why.code, why.description);
}

void Commands::request_reconnect() {
  if (state_ != State::publishing || !can_reconnect_) return;
  replies_.status(0, "status", "NetConnection.Connect.ReconnectRequest", "The server is being restarted");
}

Result<Step> Commands::play(const Call& call) {
  const auto* name = short_string(&call.argument(3));
  const auto stream = parse_publish_target(app_, tc_url_, name ? *name : std::string()).stream;
  const auto path = check_stream_name(stream).has_value() ? stream : "APP/NAME";
  replies_.status(call.stream_id, "error", "NetStream.Play.Failed",
                  fmt::format("This server plays by HLS at /{}/index.m3u8", path));
  end_reason_ = "asked to play by RTMP";
  return Step::ended;
}

Result<Step> Commands::delete_stream(const Call& call) {
  const auto* number = call.argument(3).number();
  if (!number || !(*number >= 1 && *number <= max_streams)) return Step::more;
  const auto id = static_cast<std::uint32_t>(*number);
  streams_.reset(id);
  return id == publish_stream_ ? unpublish() : Step::more;
}

Result<Step> Commands::unpublish() {
  if (state_ != State::publishing) return Step::more;
  replies_.status(publish_stream_, "status", "NetStream.Unpublish.Success", "Stopped publishing");
  end_reason_ = "the encoder stopped";
  return Step::ended;
}

/// Only a call with a transaction id waits for an answer.
Result<Step> Commands::unknown(const Call& call, std::string_view name) {
  if (call.transaction != 0 && !name.starts_with('_') && !name.starts_with("on")) {
    replies_.error(call.transaction, "NetConnection.Call.Failed", "This server does not know the command");
  }
  return Step::more;
}

Result<Step> Commands::plain_result(const Call& call, amf0::Value information) {
  if (call.transaction != 0) replies_.result(call.transaction, {amf0::Null{}}, std::move(information));
  return Step::more;
}

}  // namespace lookback::server::rtmp
