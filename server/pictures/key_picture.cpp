#include "server/pictures/key_picture.hpp"

#include <algorithm>
#include <cstdlib>

#include "packager/errc.hpp"
#include "packager/mp4/moof_reader.hpp"
#include "server/archive/lead.hpp"
#include "server/pictures/errc.hpp"

namespace lookback::server::pictures {
namespace {

namespace hls = packager::hls;

constexpr std::uint64_t max_steps = 256;  // away from the wanted time, over segments without a key picture

bool has_key_picture(const hls::Rendition& rendition, std::uint64_t msn) {
  const auto time = rendition.time_of(msn);
  return time && time->sync && !time->gap;
}

std::optional<std::uint64_t> search(const hls::Rendition& rendition, std::uint64_t from, int step) {
  auto msn = from;
  for (std::uint64_t i = 0; i < max_steps && rendition.time_of(msn);
       ++i, msn += static_cast<std::uint64_t>(step)) {
    if (has_key_picture(rendition, msn)) return msn;
  }
  return {};
}

std::optional<KeyPictures> pictures_of(const hls::Presentation& presentation, const hls::Rendition& lead,
                                       std::uint64_t msn) {
  const auto time = lead.time_of(msn);
  KeyPictures pictures{msn, time->pdt_us, time->discontinuity_sequence, {}};
  for (const auto& rendition : presentation.renditions()) {
    if (!rendition->track().starts_with('v')) continue;
    auto segment = rendition->segment(msn);
    if (segment && !segment->record.gap && segment->record.sync_bytes > 0)
      pictures.renditions.push_back({rendition->track(), std::move(*segment)});
  }
  if (pictures.renditions.empty()) return {};
  return pictures;
}

using Candidate = ChosenRendition;

std::uint64_t pixels(const Candidate& candidate) {
  return std::uint64_t{candidate.format.coded_width} * candidate.format.coded_height;
}
bool covers(const Candidate& candidate, const Output& size) {
  return candidate.format.display_width >= size.width && candidate.format.display_height >= size.height;
}

/// The formats of all renditions that can be had, the smallest first.
Result<std::vector<Candidate>> candidates(const MediaAccess& media, const MediaName& name,
                                          const KeyPictures& pictures) {
  std::vector<Candidate> found;
  boost::system::error_code error = store::Errc::not_found;
  for (const auto& picture : pictures.renditions) {
    auto init_name = name;
    init_name.track = picture.track;
    init_name.number = picture.segment.record.init_id;
    const auto init = media.find_init(init_name);
    if (!init) {
      error = init.error();
      continue;
    }
    auto format = packager::deserialize_format(init->format);
    if (!format) return store::Errc::damaged;
    found.push_back({&picture, std::move(*format)});
  }
  if (found.empty()) return error;
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return pixels(a) < pixels(b); });
  return found;
}

/// The segment's bytes up to the end of its first sample, and how long its first part is.
struct Front {
  std::vector<std::byte> bytes;
  std::uint32_t part_bytes = 0;
};

std::vector<std::byte> first_bytes(const Chain& chain, std::size_t count) {
  std::vector<std::byte> out;
  for (const auto& slice : chain) {
    const auto take = std::min(count - out.size(), slice.size());
    out.insert(out.end(), slice.bytes.begin(), slice.bytes.begin() + static_cast<std::ptrdiff_t>(take));
  }
  return out;
}

Result<Front> read_front(const MediaAccess& media, MediaName name, const hls::SegmentView& segment) {
  const auto& known = segment.record;
  if (size_of(segment.bytes) >= known.sync_bytes && !known.parts.empty())
    return Front{first_bytes(segment.bytes, known.sync_bytes), known.parts.front().size_bytes};
  const auto record = media.find_segment(name, {});
  if (!record) return record.error();
  if (record->gap || record->parts.empty() || record->sync_bytes == 0) return store::Errc::not_found;
  const auto file = media.store.extent(record->extent);
  if (!file) return file.error();
  const auto bytes = (*file)->read(record->offset, record->sync_bytes);
  if (!bytes) return bytes.error();
  return Front{**bytes, record->parts.front().size_bytes};
}

}  // namespace

std::uint64_t segment_at(const hls::Rendition& rendition, std::int64_t time_us) {
  auto low = rendition.first_msn(), high = *rendition.last_msn();
  while (low < high) {
    const auto middle = high - (high - low) / 2;
    const auto time = rendition.time_of(middle);
    if (time && time->pdt_us <= time_us) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

const hls::Rendition* video_of(const hls::Presentation& presentation) {
  if (presentation.renditions().empty()) return nullptr;
  const auto& lead = archive::lead_of(presentation);
  return lead.track().starts_with('v') && lead.last_msn() ? &lead : nullptr;
}

std::optional<KeyPictures> nearest_key_picture(const hls::Presentation& presentation, std::int64_t time_us) {
  const auto* lead = video_of(presentation);
  if (!lead) return {};
  const auto at = segment_at(*lead, time_us);
  const auto before = search(*lead, at, -1), after = search(*lead, at + 1, 1);
  if (!before && !after) return {};
  const auto distance = [&](std::uint64_t msn) { return std::llabs(lead->time_of(msn)->pdt_us - time_us); };
  const bool later = after && (!before || distance(*after) < distance(*before));
  return pictures_of(presentation, *lead, later ? *after : *before);
}

std::optional<KeyPictures> key_picture_of(const hls::Presentation& presentation, std::uint64_t msn) {
  const auto* lead = video_of(presentation);
  if (!lead || !has_key_picture(*lead, msn)) return {};
  return pictures_of(presentation, *lead, msn);
}

std::optional<KeyPictures> latest_key_picture(const hls::Presentation& presentation) {
  const auto* lead = video_of(presentation);
  if (!lead) return {};
  const auto msn = search(*lead, *lead->last_msn(), -1);
  return msn ? pictures_of(presentation, *lead, *msn) : std::nullopt;
}

Result<ByteSpan> first_sample(ByteSpan front, std::uint32_t part_bytes) {
  if (front.size() < 8) return packager::Errc::bad_fragment;
  const auto head = packager::part_head_bytes(front, part_bytes);
  if (!head) return head.error();
  if (*head > front.size()) return packager::Errc::bad_fragment;
  packager::SampleTable table;
  if (const auto read = packager::read_part(front.first(*head), part_bytes, 0, table); !read)
    return read.error();
  if (table.samples.empty() || table.chunks.empty()) return packager::Errc::bad_fragment;
  const std::size_t offset = table.chunks.front().offset, size = table.samples.front().size_bytes;
  if (offset > front.size() || size > front.size() - offset) return packager::Errc::bad_fragment;
  return front.subspan(offset, size);
}

Result<ChosenRendition> choose_rendition(const MediaAccess& media, const std::string& stream,
                                         const std::string& generation, const KeyPictures& pictures,
                                         const Output& size, std::uint64_t max_pixels) {
  auto found = candidates(media, MediaName{stream, generation, {}, pictures.msn}, pictures);
  if (!found) return found.error();
  std::erase_if(*found, [&](const Candidate& c) { return pixels(c) > max_pixels; });
  if (found->empty()) return Errc::too_large;
  const auto chosen =
      std::find_if(found->begin(), found->end() - 1, [&](const Candidate& c) { return covers(c, size); });
  return std::move(*chosen);
}

Result<Source> read_key_picture(const MediaAccess& media, const std::string& stream,
                                const std::string& generation, const KeyPictures& pictures,
                                const Output& size, std::uint64_t max_pixels) {
  const auto chosen = choose_rendition(media, stream, generation, pictures, size, max_pixels);
  if (!chosen) return chosen.error();
  const MediaName name{stream, generation, chosen->picture->track, pictures.msn};
  const auto front = read_front(media, name, chosen->picture->segment);
  if (!front) return front.error();
  const auto sample = first_sample(front->bytes, front->part_bytes);
  if (!sample) return store::Errc::damaged;
  Source source;
  source.codec = static_cast<CodecNumber>(chosen->format.codec);
  source.config = chosen->format.config;
  source.samples.push_back(
      {pictures.pdt_us, make_slice(std::vector<std::byte>(sample->begin(), sample->end()))});
  return source;
}

}  // namespace lookback::server::pictures
