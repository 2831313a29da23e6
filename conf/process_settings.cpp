#include "conf/setting_builder.hpp"
#include "conf/settings.hpp"

namespace lookback::conf {
namespace {

using namespace std::chrono_literals;
using Make = SettingBuilder<Config>;
using List = std::vector<Setting<Config>>;

constexpr std::uint64_t KiB = 1ull << 10, MiB = 1ull << 20, GiB = 1ull << 30, TiB = 1ull << 40;
constexpr std::string_view no_https = "this build has no HTTPS listener";

List process() {
  return {
      zero_as("auto", Make::count(
                          "server.threads", 1, 256, [](auto& c) -> auto& { return c.threads; })),
      Make::count(
          "server.blocking_threads", 1, 256, [](auto& c) -> auto& { return c.blocking_threads; }),
      live(Make::choice(
          "log.level", {"trace", "debug", "info", "warning", "error"},
          [](auto& c) -> auto& { return c.log_level; })),
  };
}

List store() {
  return {
      Make::text(
          "store.path", 1, 4'000, [](auto& c) -> auto& { return c.store.path; }),
      Make::size(
          "store.reserve", MiB, 1'000 * TiB, [](auto& c) -> auto& { return c.store.reserve_bytes; }),
      zero_as("none", Make::size(
                          "store.max_size", MiB, 100'000 * TiB,
                          [](auto& c) -> auto& { return c.store.max_size_bytes; })),
      Make::size(
          "store.extent_size", MiB, 4 * GiB, [](auto& c) -> auto& { return c.store.extent_size_bytes; }),
      Make::duration(
          "store.extent_duration", 1s, 24h, [](auto& c) -> auto& { return c.store.extent_duration; }),
      Make::duration(
          "store.sync_interval", 10ms, 2s, [](auto& c) -> auto& { return c.store.sync_interval; }),
      Make::size(
          "store.max_queue", MiB, 64 * GiB, [](auto& c) -> auto& { return c.store.max_queue_bytes; }),
      Make::duration(
          "store.max_write_delay", 0s, 1min, [](auto& c) -> auto& { return c.store.max_write_delay; }),
      Make::count(
          "store.max_open_extents", 16, 100'000, [](auto& c) -> auto& { return c.store.max_open_extents; }),
  };
}

List http() {
  return {
      Make::address(
          "http.listen", [](auto& c) -> auto& { return c.http.listen; }),
      Make::count(
          "http.max_connections", 1, 1'000'000, [](auto& c) -> auto& { return c.http.max_connections; }),
      Make::size(
          "http.max_header", KiB, MiB, [](auto& c) -> auto& { return c.http.max_header_bytes; }),
      Make::size(
          "http.max_target", 256, 64 * KiB, [](auto& c) -> auto& { return c.http.max_target_bytes; }),
      Make::size(
          "http.max_query", 0, 8 * KiB, [](auto& c) -> auto& { return c.http.max_query_bytes; }),
      Make::size(
          "http.recording_cache", 0, 64 * GiB, [](auto& c) -> auto& { return c.http.recording_cache_bytes; }),
      Make::size(
          "http.max_body", KiB, MiB, [](auto& c) -> auto& { return c.http.max_body_bytes; }),
      Make::duration(
          "http.header_timeout", 100ms, 10min, [](auto& c) -> auto& { return c.http.header_timeout; }),
      Make::duration(
          "http.idle_timeout", 100ms, 1h, [](auto& c) -> auto& { return c.http.idle_timeout; }),
      Make::duration(
          "http.write_timeout", 100ms, 10min, [](auto& c) -> auto& { return c.http.write_timeout; }),
      Make::duration(
          "http.first_segment_timeout", 0s, 1min,
          [](auto& c) -> auto& { return c.http.first_segment_timeout; }),
      Make::duration(
          "http.drain_timeout", 0s, 10min, [](auto& c) -> auto& { return c.http.drain_timeout; }),
      Make::size(
          "http.mp4_cache", 0, 64 * GiB, [](auto& c) -> auto& { return c.http.mp4_cache_bytes; }),
      Make::duration(
          "http.mp4_max_duration", 1s, 30 * 24h, [](auto& c) -> auto& { return c.http.mp4_max_duration; }),
      Make::count(
          "http.max_waiting", 1, 1'000'000, [](auto& c) -> auto& { return c.http.max_waiting; }),
  };
}

/// A bearer token; `check` wants one that nobody guesses.
template <class Field>
Setting<Config> token(std::string name, Field field) {
  auto setting = Make::text(std::move(name), 0, 256, field);
  setting.secret = true;
  return setting;
}

List api() {
  return {
      token(
          "api.token", [](auto& c) -> auto& { return c.tokens.admin; }),
      token(
          "api.operate_token", [](auto& c) -> auto& { return c.tokens.operate; }),
      token(
          "api.read_token", [](auto& c) -> auto& { return c.tokens.read; }),
  };
}

List rtmp() {
  return {
      Make::address(
          "rtmp.listen", [](auto& c) -> auto& { return c.rtmp.listen; }),
      Make::duration(
          "rtmp.handshake_timeout", 100ms, 5min, [](auto& c) -> auto& { return c.rtmp.handshake_timeout; }),
      Make::duration(
          "rtmp.idle_timeout", 100ms, 1h, [](auto& c) -> auto& { return c.rtmp.idle_timeout; }),
      Make::duration(
          "rtmp.write_timeout", 100ms, 10min, [](auto& c) -> auto& { return c.rtmp.write_timeout; }),
      Make::count(
          "rtmp.max_connections", 1, 100'000, [](auto& c) -> auto& { return c.rtmp.max_connections; }),
      Make::count(
          "rtmp.max_connections_per_address", 1, 100'000,
          [](auto& c) -> auto& { return c.rtmp.max_connections_per_address; }),
      // A chunk size is 31 bits of which the specification lets 1 to 0xFFFFFF be used (RTMP 1.0, 5.4.1).
      Make::size(
          "rtmp.max_chunk_size", 128, 16 * MiB, [](auto& c) -> auto& { return c.rtmp.max_chunk_size_bytes; }),
      Make::size(
          "rtmp.max_message", 64 * KiB, 16 * MiB, [](auto& c) -> auto& { return c.rtmp.max_message_bytes; }),
      Make::size(
          "rtmp.max_command", KiB, MiB, [](auto& c) -> auto& { return c.rtmp.max_command_bytes; }),
      Make::size(
          "rtmp.max_partial", 64 * KiB, GiB, [](auto& c) -> auto& { return c.rtmp.max_partial_bytes; }),
      Make::count(
          "rtmp.max_chunk_streams", 4, 65'599, [](auto& c) -> auto& { return c.rtmp.max_chunk_streams; }),
      Make::count(
          "rtmp.max_amf_depth", 4, 64, [](auto& c) -> auto& { return c.rtmp.max_amf_depth; }),
      Make::count(
          "rtmp.max_amf_properties", 16, 100'000, [](auto& c) -> auto& { return c.rtmp.max_amf_properties; }),
      Make::size(
          "rtmp.read_buffer", 4 * KiB, 4 * MiB, [](auto& c) -> auto& { return c.rtmp.read_buffer_bytes; }),
  };
}

List rtmps() {
  return {
      Make::address(
          "rtmps.listen", [](auto& c) -> auto& { return c.rtmps.listen; }),
      Make::text(
          "rtmps.certificate", 0, 4'000, [](auto& c) -> auto& { return c.rtmps.certificate; }),
      Make::text(
          "rtmps.key", 0, 4'000, [](auto& c) -> auto& { return c.rtmps.key; }),
  };
}

List srt() {
  return {
      Make::addresses(
          "srt.listen", [](auto& c) -> auto& { return c.srt.listen; }),
      Make::duration(
          "srt.latency", 0ms, 30s, [](auto& c) -> auto& { return c.srt.latency; }),
      Make::duration(
          "srt.first_media_timeout", 100ms, 5min, [](auto& c) -> auto& { return c.srt.first_media_timeout; }),
      Make::duration(
          "srt.idle_timeout", 100ms, 1h, [](auto& c) -> auto& { return c.srt.idle_timeout; }),
      Make::duration(
          "srt.peer_timeout", 1s, 10min, [](auto& c) -> auto& { return c.srt.peer_timeout; }),
      Make::duration(
          "srt.pull_timeout", 100ms, 1min, [](auto& c) -> auto& { return c.srt.pull_timeout; }),
      Make::duration(
          "srt.pull_retry_min", 100ms, 1h, [](auto& c) -> auto& { return c.srt.pull_retry_min; }),
      Make::duration(
          "srt.pull_retry_max", 100ms, 1h, [](auto& c) -> auto& { return c.srt.pull_retry_max; }),
      Make::count(
          "srt.max_connections", 1, 100'000, [](auto& c) -> auto& { return c.srt.max_connections; }),
      Make::count(
          "srt.max_connections_per_address", 1, 100'000,
          [](auto& c) -> auto& { return c.srt.max_connections_per_address; }),
      Make::size(
          "srt.receive_buffer", MiB, GiB, [](auto& c) -> auto& { return c.srt.receive_buffer_bytes; }),
      Make::size(
          "srt.max_queue", MiB, GiB, [](auto& c) -> auto& { return c.srt.max_queue_bytes; }),
      Make::size(
          "srt.max_frame", 64 * KiB, 64 * MiB, [](auto& c) -> auto& { return c.srt.max_frame_bytes; }),
  };
}

List pictures() {
  return {
      Make::count(
          "pictures.workers", 1, 64, [](auto& c) -> auto& { return c.pictures.workers; }),
      Make::count(
          "pictures.max_queue", 4, 100'000, [](auto& c) -> auto& { return c.pictures.max_queue; }),
      Make::duration(
          "pictures.max_wait", 100ms, 10min, [](auto& c) -> auto& { return c.pictures.max_wait; }),
      Make::duration(
          "pictures.max_time", 100ms, 10min, [](auto& c) -> auto& { return c.pictures.max_time; }),
      Make::duration(
          "pictures.max_cpu", 1s, 10min, [](auto& c) -> auto& { return c.pictures.max_cpu; }),
      Make::size(
          "pictures.max_memory", 64 * MiB, 64 * GiB,
          [](auto& c) -> auto& { return c.pictures.max_memory_bytes; }),
      Make::count(
          "pictures.max_pixels", 65'536, 268'402'689, [](auto& c) -> auto& { return c.pictures.max_pixels; }),
      Make::count(
          "pictures.jobs_per_process", 1, 1'000'000,
          [](auto& c) -> auto& { return c.pictures.jobs_per_process; }),
      Make::size(
          "pictures.cache", 0, 64 * GiB, [](auto& c) -> auto& { return c.pictures.cache_bytes; }),
      Make::count(
          "pictures.max_side", 64, 4'096, [](auto& c) -> auto& { return c.pictures.max_side; }),
  };
}

List later() {
  return {
      absent(no_https, Make::address(
                           "https.listen", [](auto& c) -> auto& { return c.https.listen; })),
      absent(no_https,
             Make::text(
                 "https.certificate", 0, 4'000, [](auto& c) -> auto& { return c.https.certificate; })),
      absent(no_https, Make::text(
                           "https.key", 0, 4'000, [](auto& c) -> auto& { return c.https.key; })),
  };
}

List limits() {
  return {
      Make::count(
          "limits.max_streams", 1, 100'000, [](auto& c) -> auto& { return c.limits.max_streams; }),
      Make::count(
          "limits.max_tracks", 1, 64, [](auto& c) -> auto& { return c.limits.max_tracks; }),
      Make::count(
          "limits.max_feeds", 1, 16, [](auto& c) -> auto& { return c.limits.max_feeds; }),
      Make::count(
          "limits.max_recordings", 1, 1'000'000, [](auto& c) -> auto& { return c.limits.max_recordings; }),
      Make::count(
          "limits.max_recordings_per_stream", 1, 1'000'000,
          [](auto& c) -> auto& { return c.limits.max_recordings_per_stream; }),
      Make::size(
          "limits.max_ingest_queue", MiB, GiB,
          [](auto& c) -> auto& { return c.limits.max_ingest_queue_bytes; }),
      Make::size(
          "limits.max_standby", MiB, GiB, [](auto& c) -> auto& { return c.limits.max_standby_bytes; }),
      live(Make::duration(
          "limits.max_interval", 1min, 1h, [](auto& c) -> auto& { return c.limits.max_interval; })),
  };
}

List all() {
  List list;
  for (const auto& part :
       {process(), store(), http(), api(), rtmp(), rtmps(), srt(), pictures(), later(), limits()}) {
    list.insert(list.end(), part.begin(), part.end());
  }
  return list;
}

}  // namespace

const std::vector<Setting<Config>>& process_settings() {
  static const auto list = all();
  return list;
}

}  // namespace lookback::conf
