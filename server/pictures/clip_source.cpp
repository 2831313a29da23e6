#include "server/pictures/clip_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/pictures/clip_request.hpp"
#include "server/pictures/clip_samples.hpp"
#include "server/pictures/errc.hpp"

namespace lookback::server::pictures {
namespace {

constexpr std::int64_t date_rounding_us =
    1'000;                              // a date out of a playlist may be that much before its picture
constexpr double suitable_rate = 12.5;  // pictures a second, at most
constexpr std::int64_t least_last_us = 20'000;            // of the last picture: two units of GIF
constexpr std::uint32_t usual_steps = 2, most_steps = 5;  // a second, from key picture to key picture
constexpr std::uint8_t webp_quality = 60, mp4_quality = 60;

/// Every picture of the source, or every second, third ..., so that motion is even.
double suitable_step_us(double frame_us) {
  constexpr double least_frame_us = 1'000;  // what is faster is no picture rate
  const auto frame = std::max(frame_us, least_frame_us);
  return frame * std::max(1.0, std::ceil(1e6 / suitable_rate / frame - 0.01));
}

/// Even instants, each wanted of the source that is shown then.
void choose_even(Job& job, const ClipMoment& moment, double step_us) {
  const auto [start, end] = moment.range;
  auto& sources = job.sources;
  std::size_t at = 0;
  for (std::size_t k = 0;; ++k) {
    const auto begin = std::llround(static_cast<double>(k) * step_us);
    if (k > 0 && begin > end - start - least_last_us) break;
    const auto instant = start + begin + date_rounding_us;
    while (at + 1 < sources.size() && sources[at + 1].samples.front().pts <= instant) ++at;
    sources[at].wanted.push_back(instant);
    job.clip->begins_us.push_back(static_cast<std::uint32_t>(begin));
  }
  std::erase_if(sources, [](const Source& source) { return source.wanted.empty(); });
}

/// Takes key pictures of a moment, each from its own time on.
class Steps {
 public:
  Steps(const MediaAccess& media, const ClipMoment& moment, const Options& options)
      : media_(media), moment_(moment), options_(options) {}

  Result<void> run(Job& job) {
    const auto& lead = *video_of(*moment_.presentation);
    const auto rate = std::min(moment_.fps == 0 ? usual_steps : moment_.fps, most_steps);
    const auto distance_us = std::int64_t{1'000'000} / rate - date_rounding_us;
    std::int64_t due_us = INT64_MIN;
    for (auto msn = first_segment_of(lead, moment_); job.sources.size() < max_sources; ++msn) {
      const auto time = lead.time_of(msn);
      if (!time || time->pdt_us > moment_.range.end_us - least_last_us) break;
      if (time->pdt_us < due_us) continue;
      const auto pictures = key_picture_of(*moment_.presentation, msn);
      if (!pictures) continue;
      if (const auto read = add(job, *pictures); !read) return read.error();
      due_us = std::max(time->pdt_us, moment_.range.start_us) + distance_us;
    }
    if (job.sources.empty()) return error_;
    return {};
  }

 private:
  Result<void> add(Job& job, const KeyPictures& pictures) {
    Output size;
    size.width = moment_.width;
    auto source = read_key_picture(media_, moment_.stream, moment_.presentation->generation(), pictures, size,
                                   options_.max_pixels);
    if (!source) {
      error_ = source.error();
      if (error_ == store::Errc::io_error) return error_;
      return {};
    }
    auto& begins = job.clip->begins_us;
    const auto begin = std::max<std::int64_t>(0, pictures.pdt_us - moment_.range.start_us);
    source->wanted = {pictures.pdt_us};
    begins.push_back(begins.empty() ? 0 : static_cast<std::uint32_t>(begin));
    job.sources.push_back(std::move(*source));
    return {};
  }

  const MediaAccess& media_;
  const ClipMoment& moment_;
  const Options& options_;
  boost::system::error_code error_ = store::Errc::not_found;
};

Output output_of(ImageFormat format, const ClipMoment& moment) {
  const auto quality = format == ImageFormat::mp4 ? mp4_quality : webp_quality;
  return {format, moment.width, moment.max_side, Fit::contain, quality};
}

}  // namespace

std::string_view ending_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::gif:
      return ".gif";
    case ImageFormat::mp4:
      return ".mp4";
    default:
      return ".webp";
  }
}

std::string ClipMoment::name() const {
  return fmt::format("{}-{}-{}-{}x{}", presentation->generation(), range.start_us,
                     range.end_us - range.start_us, width, fps);
}

Result<Job> read_clip(const MediaAccess& media, const ClipMoment& moment,
                      std::span<const ImageFormat> formats, const Options& options) {
  Job job;
  job.clip.emplace();
  const auto length_us = moment.range.end_us - moment.range.start_us;
  job.clip->length_us = static_cast<std::uint32_t>(length_us);
  for (const auto format : formats) job.outputs.push_back(output_of(format, moment));
  if (length_us <= longest_smooth_us) {
    auto samples = read_clip_samples(media, moment, options);
    if (!samples) return samples.error();
    if (!samples->too_much) {
      job.sources = std::move(samples->sources);
      choose_even(job, moment, moment.fps == 0 ? suitable_step_us(samples->frame_us) : 1e6 / moment.fps);
      return job;
    }
  }
  if (const auto read = Steps(media, moment, options).run(job); !read) return read.error();
  return job;
}

}  // namespace lookback::server::pictures
