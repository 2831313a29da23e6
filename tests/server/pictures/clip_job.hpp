#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/server/pictures/film.hpp"

namespace lookback::test {

inline constexpr std::uint32_t frame_us = 83'333;  ///< every second picture of 24 a second
inline constexpr std::size_t pictures_of_clip = 24;

inline fs::path clip_film() { return support::media_folder() / "sintel_360p24_gop2.mp4"; }

/// Two seconds of the film, from its second sync sample on (at 2 s), in all formats of clips.
inline pictures::Job clip_job(std::uint32_t width = 320) {
  using pictures::ImageFormat;
  pictures::Job job;
  job.max_pixels = 1'000'000;
  auto source = read_film(clip_film(), 50, 1);
  const auto first = source.samples.front().pts;
  std::int64_t ticks = INT64_MAX;  // of a picture, in the file's time base
  for (const auto& sample : source.samples)
    if (sample.pts != first) ticks = std::min<std::int64_t>(ticks, std::llabs(sample.pts - first));
  job.clip.emplace();
  for (std::size_t i = 0; i < pictures_of_clip; ++i) {
    source.wanted.push_back(first + static_cast<std::int64_t>(i) * 2 * ticks);
    job.clip->begins_us.push_back(static_cast<std::uint32_t>(i) * frame_us);
  }
  job.clip->length_us = static_cast<std::uint32_t>(pictures_of_clip) * frame_us;
  job.sources.push_back(std::move(source));
  for (const auto format : {ImageFormat::webp_animation, ImageFormat::gif, ImageFormat::mp4})
    job.outputs.push_back({format, width, 640, pictures::Fit::contain, 75});
  return job;
}

}  // namespace lookback::test
