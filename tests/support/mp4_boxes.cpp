#include "tests/support/mp4_boxes.hpp"

#include <algorithm>

#include "tests/support/mp4_reader.hpp"

namespace lookback::support {
namespace {

constexpr std::uint32_t base_data_offset_present = 0x1, description_present = 0x2,
                        default_duration_present = 0x8, default_size_present = 0x10,
                        default_flags_present = 0x20;
constexpr std::uint32_t data_offset_present = 0x1, first_flags_present = 0x4, duration_present = 0x100,
                        size_present = 0x200, flags_present = 0x400, composition_present = 0x800;

struct Defaults {
  std::uint32_t duration = 0, size = 0, flags = 0;
};

Defaults read_tfhd(std::string_view payload, Fragment& fragment) {
  Mp4Reader reader(payload);
  fragment.tfhd_flags = reader.u32() & 0xFFFFFF;
  fragment.track_id = reader.u32();
  Defaults defaults;
  if (fragment.tfhd_flags & base_data_offset_present) reader.u64();
  if (fragment.tfhd_flags & description_present) reader.u32();
  if (fragment.tfhd_flags & default_duration_present) defaults.duration = reader.u32();
  if (fragment.tfhd_flags & default_size_present) defaults.size = reader.u32();
  if (fragment.tfhd_flags & default_flags_present) defaults.flags = reader.u32();
  return defaults;
}

/// Appends the run's samples; `moof` is what its data offset counts from.
void read_trun(std::string_view payload, const Defaults& defaults, std::string_view file, std::size_t moof,
               const Box& mdat, Fragment& fragment) {
  Mp4Reader reader(payload);
  const auto head = reader.u32();
  fragment.trun_version = static_cast<std::uint8_t>(head >> 24);
  const auto flags = head & 0xFFFFFF;
  const auto count = reader.u32();
  const auto data_offset = flags & data_offset_present ? static_cast<std::int32_t>(reader.u32()) : 0;
  const auto first_flags = flags & first_flags_present ? reader.u32() : defaults.flags;
  auto dts = fragment.samples.empty() ? fragment.decode_time
                                      : fragment.samples.back().dts + fragment.samples.back().duration;
  auto at = moof + static_cast<std::size_t>(data_offset);
  const auto mdat_start = static_cast<std::size_t>(mdat.payload.data() - file.data());
  const auto mdat_end = mdat_start + mdat.payload.size();
  bool inside = at == mdat_start;
  for (std::uint32_t i = 0; i < count; ++i) {
    SampleEntry sample;
    sample.dts = dts;
    sample.duration = flags & duration_present ? reader.u32() : defaults.duration;
    const std::size_t size = flags & size_present ? reader.u32() : defaults.size;
    sample.flags = flags & flags_present ? reader.u32() : (i == 0 ? first_flags : defaults.flags);
    const auto composition = flags & composition_present ? reader.u32() : 0;
    sample.composition = fragment.trun_version == 0 ? static_cast<std::int64_t>(composition)
                                                    : static_cast<std::int32_t>(composition);
    if (at > file.size() || size > file.size() - at) Mp4Reader::fail("a sample outside of the file");
    sample.data = file.substr(at, size);
    at += size;
    inside &= at <= mdat_end;
    dts += sample.duration;
    fragment.samples.push_back(sample);
  }
  fragment.samples_fill_mdat = inside && at == mdat_end;
}

Fragment read_fragment(std::string_view file, const Box& moof, const Box& mdat) {
  Fragment fragment;
  for (const auto& box : boxes(moof.payload)) {
    if (box.type == "mfhd") {
      Mp4Reader reader(box.payload);
      reader.u32();
      fragment.sequence = reader.u32();
    }
    if (box.type != "traf") continue;
    ++fragment.trafs;
    Defaults defaults;
    for (const auto& inner : boxes(box.payload)) {
      fragment.traf_order.push_back(inner.type);
      if (inner.type == "tfhd") defaults = read_tfhd(inner.payload, fragment);
      if (inner.type == "tfdt") {
        Mp4Reader reader(inner.payload);
        fragment.tfdt_version = static_cast<std::uint8_t>(reader.u32() >> 24);
        fragment.decode_time =
            static_cast<std::int64_t>(fragment.tfdt_version == 1 ? reader.u64() : reader.u32());
      }
      if (inner.type == "trun") {
        ++fragment.truns;
        read_trun(inner.payload, defaults, file, moof.offset, mdat, fragment);
      }
    }
  }
  return fragment;
}

}  // namespace

std::vector<Box> boxes(std::string_view bytes) {
  std::vector<Box> list;
  for (std::size_t at = 0; at < bytes.size();) {
    Mp4Reader reader(bytes.substr(at));
    std::uint64_t size = reader.u32();
    Box box{.type = reader.text(4), .offset = at, .payload = {}};
    std::size_t header = 8;
    if (size == 1) {
      size = reader.u64();
      header = 16;
    }
    if (size < header || size > bytes.size() - at) Mp4Reader::fail("box " + box.type + " does not fit");
    box.payload = bytes.substr(at + header, size - header);
    list.push_back(box);
    at += size;
  }
  return list;
}

const Box* find_box(const std::vector<Box>& list, std::string_view type) {
  const auto found = std::ranges::find_if(list, [&](const Box& box) { return box.type == type; });
  return found == list.end() ? nullptr : &*found;
}

std::int64_t Fragment::duration() const {
  std::int64_t sum = 0;
  for (const auto& sample : samples) sum += sample.duration;
  return sum;
}

MediaFile parse_media(std::string_view bytes) {
  MediaFile file;
  const auto list = boxes(bytes);
  for (std::size_t i = 0; i < list.size(); ++i) {
    file.top_level.push_back(list[i].type);
    if (list[i].type != "moof") continue;
    if (i + 1 == list.size() || list[i + 1].type != "mdat") Mp4Reader::fail("moof without mdat behind it");
    file.fragments.push_back(read_fragment(bytes, list[i], list[i + 1]));
  }
  return file;
}

std::vector<int> nal_types(std::string_view sample) {
  std::vector<int> types;
  for (std::size_t at = 0; at < sample.size();) {
    Mp4Reader reader(sample.substr(at));
    const std::size_t length = reader.u32();
    if (length == 0 || length > sample.size() - at - 4) Mp4Reader::fail("a NAL unit outside of its sample");
    types.push_back(sample[at + 4] & 0x1F);
    at += 4 + length;
  }
  return types;
}

}  // namespace lookback::support
