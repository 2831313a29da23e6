#include "packager/media/vp9.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "packager/media/bit_reader.hpp"
#include "packager/media/picture_format.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t record_bytes = 8, config_bytes = record_bytes + 4, box_head_bytes = 4;
constexpr std::uint32_t sync_code = 0x498342;
constexpr std::uint32_t srgb = 7;  // color_space
constexpr unsigned chroma_420 = 1, chroma_422 = 2, chroma_444 = 3,
                   chroma_440 = 4;  // the last has no name there

/// The fields of the record; chroma subsampling as there: 0 and 1 are 4:2:0.
struct Picture {
  unsigned profile = 0, level = 0, bit_depth = 8, chroma = chroma_420;
  Colour colour;
  std::uint32_t width = 0, height = 0;
};

/// The levels by luma samples of a picture and of 1/30 s (VP9 Bitstream annex A): the first that holds both.
unsigned level_for(std::uint64_t picture) {
  struct Level {
    unsigned number;
    std::uint64_t samples;
  };
  constexpr std::array<Level, 10> levels{{{10, 27'648},
                                          {11, 73'728},
                                          {20, 122'880},
                                          {21, 245'760},
                                          {30, 552'960},
                                          {31, 983'040},
                                          {40, 2'228'224},
                                          {50, 8'912'896},
                                          {60, 35'651'584},
                                          {62, ~std::uint64_t{0}}}};
  return std::find_if(levels.begin(), levels.end(), [&](const Level& l) { return picture <= l.samples; })
      ->number;
}

unsigned chroma_of(bool x, bool y) {
  if (x) return y ? chroma_420 : chroma_422;
  return y ? chroma_440 : chroma_444;
}

/// color_config() (7.2.2) of the uncompressed header.
void read_colour(BitReader& in, Picture& picture) {
  if (picture.profile >= 2) picture.bit_depth = in.flag() ? 12 : 10;
  const bool odd_profile = picture.profile % 2 == 1;
  if (in.bits(3) == srgb) {
    picture.colour.full_range = true;
    picture.chroma = chroma_444;
    if (odd_profile) in.flag();
    return;
  }
  picture.colour.full_range = in.flag();
  if (!odd_profile) return;
  const bool x = in.flag(), y = in.flag();
  picture.chroma = chroma_of(x, y);
  in.flag();
}

/// uncompressed_header() (6.2) of a key picture, as far as its size.
std::optional<Picture> read_key_picture(ByteSpan frame) {
  BitReader in(frame);
  if (in.bits(2) != 2) return std::nullopt;  // frame_marker
  Picture picture;
  const auto low = in.bits(1), high = in.bits(1);
  picture.profile = high << 1 | low;
  if (picture.profile == 3) in.flag();
  const bool existing = in.flag(), inter = in.flag();
  in.bits(2);  // show_frame, error_resilient_mode
  if (existing || inter || in.bits(24) != sync_code) return std::nullopt;
  read_colour(in, picture);
  picture.width = in.bits(16) + 1;
  picture.height = in.bits(16) + 1;
  if (!in.ok()) return std::nullopt;
  return picture;
}

std::vector<std::byte> write_config(const Picture& picture) {
  const auto& colour = picture.colour;
  const std::array<unsigned, config_bytes> bytes{
      picture.profile,
      picture.level,
      picture.bit_depth << 4 | picture.chroma << 1 | unsigned{colour.full_range},
      colour.primaries,
      colour.transfer,
      colour.matrix,
      0,
      0,  // codecInitializationDataSize
      (picture.width - 1) >> 8,
      (picture.width - 1) & 0xFF,
      (picture.height - 1) >> 8,
      (picture.height - 1) & 0xFF};
  std::vector<std::byte> out;
  for (const auto byte : bytes) out.push_back(static_cast<std::byte>(byte));
  return out;
}

/// VP Codec ISO Media File Format Binding, "Codecs Parameter String": the optional fields all or not at all.
std::string codec_string(const Picture& picture) {
  auto out = fmt::format("vp09.{:02}.{:02}.{:02}", picture.profile, picture.level, picture.bit_depth);
  const auto& colour = picture.colour;
  if (picture.chroma <= chroma_420 && colour.is_usual()) return out;
  return out + fmt::format(".{:02}.{:02}.{:02}.{:02}.{:02}", picture.chroma, colour.primaries,
                           colour.transfer, colour.matrix, int{colour.full_range});
}

/// `record`: 8 bytes.
Picture read_record(ByteSpan record) {
  BitReader in(record);
  Picture picture;
  picture.profile = in.bits(8);
  picture.level = in.bits(8);
  picture.bit_depth = in.bits(4);
  picture.chroma = in.bits(3);
  picture.colour.full_range = in.flag();
  picture.colour.primaries = static_cast<std::uint8_t>(in.bits(8));
  picture.colour.transfer = static_cast<std::uint8_t>(in.bits(8));
  picture.colour.matrix = static_cast<std::uint8_t>(in.bits(8));
  return picture;
}

bool plausible(const Picture& picture) {
  const auto depth = picture.bit_depth;
  const bool deep = picture.profile >= 2;
  return picture.profile <= 3 && (deep ? depth == 10 || depth == 12 : depth == 8) &&
         picture.chroma <= chroma_444;
}

}  // namespace

bool is_vp9_key_picture(ByteSpan frame) { return read_key_picture(frame).has_value(); }

Result<std::vector<std::byte>> vp9_config(ByteSpan key_picture) {
  auto picture = read_key_picture(key_picture);
  if (!picture) return Errc::bad_vp9_config;
  picture->level = level_for(std::uint64_t{picture->width} * picture->height);
  if (!plausible(*picture)) return Errc::bad_vp9_config;  // 4:4:0 has no name in a record
  return write_config(*picture);
}

Result<std::vector<std::byte>> vp9_config(ByteSpan record, ByteSpan key_picture) {
  constexpr std::byte box_version{1};
  if (record.size() >= record_bytes + box_head_bytes && record[0] == box_version &&
      record[1] == std::byte{0} && record[2] == std::byte{0} && record[3] == std::byte{0}) {
    record = record.subspan(box_head_bytes);
  }
  if (record.size() < record_bytes) return Errc::truncated;
  const auto coded = read_key_picture(key_picture);
  if (!coded) return Errc::bad_vp9_config;
  auto picture = read_record(record.first(record_bytes));
  // What the bit stream says itself is taken from there.
  picture.profile = coded->profile;
  picture.bit_depth = coded->bit_depth;
  // Where the chroma samples of 4:2:0 lie is known to the record alone.
  if (coded->chroma != chroma_420 || picture.chroma > chroma_420) picture.chroma = coded->chroma;
  picture.colour.full_range = coded->colour.full_range;
  picture.width = coded->width;
  picture.height = coded->height;
  if (picture.level == 0) picture.level = level_for(std::uint64_t{picture.width} * picture.height);
  if (!plausible(picture)) return Errc::bad_vp9_config;
  return write_config(picture);
}

Result<TrackFormat> parse_vp9_config(ByteSpan config) {
  if (config.size() < config_bytes) return Errc::truncated;
  auto picture = read_record(config);
  BitReader in(config.subspan(record_bytes));
  picture.width = in.bits(16) + 1;
  picture.height = in.bits(16) + 1;
  if (config.size() != config_bytes || !plausible(picture)) return Errc::bad_vp9_config;
  if (picture.width > max_picture_side || picture.height > max_picture_side) return Errc::picture_too_large;
  auto format = video_format(Codec::vp9, config, picture.width, picture.height, 1, 1, picture.colour);
  format.codecs = codec_string(picture);
  return format;
}

}  // namespace lookback::packager
