#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The last component of every URL of a stream. Media names are unique over the stream's whole life.
namespace lookback::packager::hls {

/// `v0.m3u8`, `v0-iframes.m3u8`, `v0-k3f9-init1.mp4`, `v0-k3f9-123.m4s`, `v0-k3f9-123.4.m4s`
std::string playlist_name(std::string_view track);
std::string iframes_name(std::string_view track);
std::string init_name(std::string_view track, std::string_view generation, std::uint32_t init);
std::string segment_name(std::string_view track, std::string_view generation, std::uint64_t msn);
std::string part_name(std::string_view track, std::string_view generation, std::uint64_t msn,
                      std::uint32_t part);

/// The same, written at the end of `out`: a day's playlist holds 43,200 of them.
void append_init_name(std::string& out, std::string_view track, std::string_view generation,
                      std::uint32_t init);
void append_segment_name(std::string& out, std::string_view track, std::string_view generation,
                         std::uint64_t msn);
void append_part_name(std::string& out, std::string_view track, std::string_view generation,
                      std::uint64_t msn, std::uint32_t part);

struct Name {
  enum class Kind { playlist, iframes, init, segment, part } kind = Kind::playlist;
  std::string_view track, generation;
  std::uint64_t number = 0;  ///< msn, or the init's id
  std::uint32_t part = 0;
};

/// Exactly the names above: canonical decimal numbers that fit, tracks `[va][0-9]{1,2}`, generations
/// `[a-z0-9]{4}`. Views point into `leaf`. Empty for anything else.
std::optional<Name> parse_name(std::string_view leaf);

}  // namespace lookback::packager::hls
