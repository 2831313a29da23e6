#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "packager/hls/presentation.hpp"
#include "packager/media/track_format.hpp"
#include "server/archive/media_finder.hpp"
#include "server/pictures/job.hpp"

namespace lookback::server::pictures {

/// The picture at the start of a segment, as one rendition has it.
struct KeyPicture {
  std::string track;
  packager::hls::SegmentView segment;
};

/// A key picture of a stream, in all renditions that have it.
struct KeyPictures {
  std::uint64_t msn = 0;
  std::int64_t pdt_us = 0;                   ///< when it is shown
  std::uint32_t discontinuity_sequence = 0;  ///< its session
  std::vector<KeyPicture> renditions;        ///< at least one
};

/// The key picture that is shown nearest to `time_us`, among those that start complete segments. Empty: the
/// presentation has none. Pure; some hundred steps at most beyond a bisection.
std::optional<KeyPictures> nearest_key_picture(const packager::hls::Presentation& presentation,
                                               std::int64_t time_us);
/// The last one.
std::optional<KeyPictures> latest_key_picture(const packager::hls::Presentation& presentation);

/// That which starts segment `msn`. Empty: it is not listed, or starts with none.
std::optional<KeyPictures> key_picture_of(const packager::hls::Presentation& presentation, std::uint64_t msn);

/// The video track on which times are looked up. Null: there is none, or nothing of it is listed.
const packager::hls::Rendition* video_of(const packager::hls::Presentation& presentation);
/// The last segment listed in `rendition` that begins by `time_us`, or the first one. It lists something.
std::uint64_t segment_at(const packager::hls::Rendition& rendition, std::int64_t time_us);

/// Where key pictures' bytes come from; the functions of http::Site.
struct MediaAccess {
  store::Store& store;
  std::function<Result<store::SegmentRecord>(const MediaName&, const std::optional<store::SegmentRecord>&)>
      find_segment;
  std::function<Result<store::InitRecord>(const MediaName&)> find_init;
};

/// The rendition that a picture of a size is made of.
struct ChosenRendition {
  const KeyPicture* picture = nullptr;  ///< one of the key picture's
  packager::TrackFormat format;
};
/// The smallest rendition that is at least `width` and `height` large (as it is shown; 0: any), or else the
/// largest. Blocking. Errors: not_found, damaged, io_error; Errc::too_large for a picture of more than
/// `max_pixels` in all renditions.
Result<ChosenRendition> choose_rendition(const MediaAccess& media, const std::string& stream,
                                         const std::string& generation, const KeyPictures& pictures,
                                         const Output& size, std::uint64_t max_pixels);

/// The source of a job: the picture of the rendition that `choose_rendition` chooses. Blocking. Errors: as
/// there.
Result<Source> read_key_picture(const MediaAccess& media, const std::string& stream,
                                const std::string& generation, const KeyPictures& pictures,
                                const Output& size, std::uint64_t max_pixels);

/// The first sample of a part: `front` holds at least moof and that sample. Pure. Errors: packager's
/// bad_fragment.
Result<ByteSpan> first_sample(ByteSpan front, std::uint32_t part_bytes);

}  // namespace lookback::server::pictures
