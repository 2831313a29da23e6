#include "packager/media/av1.hpp"

#include <fmt/format.h>

#include <string>

#include "packager/media/bit_reader.hpp"
#include "packager/media/picture_format.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t max_record_bytes = 4 * 1024;
constexpr std::size_t record_head_bytes = 4;
constexpr std::byte marker_and_version{0x81};

/// What a sequence header says (5.5).
struct Sequence {
  unsigned profile = 0, level = 0;
  bool high_tier = false, reduced = false;
  std::uint32_t width = 0, height = 0;
  std::uint64_t rate_num = 0, rate_den = 0;
  unsigned bit_depth = 8;
  bool monochrome = false;
  bool subsampling_x = true, subsampling_y = true;
  unsigned sample_position = 0;
  Colour colour;
};

/// timing_info() (5.5.3). The rate is one only when pictures are equally long.
void read_timing(BitReader& in, Sequence& sequence) {
  const auto units = in.bits(32), scale = in.bits(32);
  if (!in.flag()) return;  // equal_picture_interval
  sequence.rate_num = scale;
  sequence.rate_den = std::uint64_t{units} * (std::uint64_t{in.ue()} + 1);
}

void read_operating_points(BitReader& in, Sequence& sequence) {
  bool decoder_model = false;
  unsigned delay_bits = 0;
  if (in.flag()) {  // timing_info_present_flag
    read_timing(in, sequence);
    decoder_model = in.flag();
    if (decoder_model) {
      delay_bits = in.bits(5) + 1;
      in.bits(32);  // num_units_in_decoding_tick
      in.bits(10);  // lengths of other delays
    }
  }
  const bool display_delay = in.flag();
  const auto points = in.bits(5) + 1;
  for (unsigned i = 0; i < points && in.ok(); ++i) {
    in.bits(12);  // operating_point_idc
    const auto level = in.bits(5);
    const bool high = level > 7 && in.flag();
    if (i == 0) {
      sequence.level = level;
      sequence.high_tier = high;
    }
    if (decoder_model && in.flag()) in.skip(std::size_t{2} * delay_bits + 1);
    if (display_delay && in.flag()) in.bits(4);
  }
}

void read_size(BitReader& in, Sequence& sequence) {
  const auto width_bits = in.bits(4) + 1, height_bits = in.bits(4) + 1;
  sequence.width = in.bits(width_bits) + 1;
  sequence.height = in.bits(height_bits) + 1;
  if (!sequence.reduced && in.flag()) in.bits(7);  // frame ids
}

void skip_coding_tools(BitReader& in, const Sequence& sequence) {
  in.bits(3);  // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
  if (!sequence.reduced) {
    in.bits(4);  // interintra, masked, warped motion, dual filter
    const bool order_hint = in.flag();
    if (order_hint) in.bits(2);            // jnt_comp, ref_frame_mvs
    const bool select_screen = in.flag();  // seq_choose_screen_content_tools
    const bool screen = select_screen || in.flag();
    if (screen && !in.flag()) in.flag();  // seq_choose_integer_mv, seq_force_integer_mv
    if (order_hint) in.bits(3);
  }
  in.bits(3);  // superres, cdef, restoration
}

/// color_config() (5.5.2)
void read_colour(BitReader& in, Sequence& sequence) {
  const bool high_depth = in.flag();
  sequence.bit_depth = high_depth ? 10 : 8;
  if (sequence.profile == 2 && high_depth && in.flag()) sequence.bit_depth = 12;
  sequence.monochrome = sequence.profile != 1 && in.flag();
  auto& colour = sequence.colour;
  if (in.flag()) {
    colour.primaries = static_cast<std::uint8_t>(in.bits(8));
    colour.transfer = static_cast<std::uint8_t>(in.bits(8));
    colour.matrix = static_cast<std::uint8_t>(in.bits(8));
  }
  constexpr std::uint8_t srgb = 13, identity = 0;
  if (sequence.monochrome) {
    colour.full_range = in.flag();
    return;
  }
  if (colour.primaries == Colour::bt709 && colour.transfer == srgb && colour.matrix == identity) {
    colour.full_range = true;
    sequence.subsampling_x = sequence.subsampling_y = false;
    return;
  }
  colour.full_range = in.flag();
  if (sequence.profile == 1) {
    sequence.subsampling_x = sequence.subsampling_y = false;
  } else if (sequence.profile == 2) {
    sequence.subsampling_x = sequence.bit_depth != 12 || in.flag();
    sequence.subsampling_y = sequence.bit_depth == 12 && sequence.subsampling_x && in.flag();
  }
  if (sequence.subsampling_x && sequence.subsampling_y) sequence.sample_position = in.bits(2);
}

std::optional<Sequence> read_sequence(ByteSpan payload) {
  BitReader in(payload);
  Sequence sequence;
  sequence.profile = in.bits(3);
  in.flag();  // still_picture
  sequence.reduced = in.flag();
  if (sequence.reduced) {
    sequence.level = in.bits(5);
  } else {
    read_operating_points(in, sequence);
  }
  read_size(in, sequence);
  skip_coding_tools(in, sequence);
  read_colour(in, sequence);
  if (!in.ok() || sequence.profile > 2) return std::nullopt;
  return sequence;
}

/// AV1 in ISOBMFF 5: the optional fields all or not at all; without them they have their usual values. Where
/// the chroma samples of 4:2:0 lie is no reason for all of them.
std::string codec_string(const Sequence& sequence) {
  auto out = fmt::format("av01.{}.{:02}{}.{:02}", sequence.profile, sequence.level,
                         sequence.high_tier ? 'H' : 'M', sequence.bit_depth);
  const bool usual_chroma = sequence.subsampling_x && sequence.subsampling_y;
  const auto& colour = sequence.colour;
  if (!sequence.monochrome && usual_chroma && colour.is_usual()) return out;
  return out + fmt::format(".{}.{}{}{}.{:02}.{:02}.{:02}.{}", int{sequence.monochrome},
                           int{sequence.subsampling_x}, int{sequence.subsampling_y}, sequence.sample_position,
                           colour.primaries, colour.transfer, colour.matrix, int{colour.full_range});
}

}  // namespace

std::optional<Obu> front_obu(ByteSpan bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto header = std::to_integer<unsigned>(bytes[0]);
  const bool extended = (header & 4) != 0, has_size = (header & 2) != 0;
  if ((header & 0x80) != 0) return std::nullopt;  // obu_forbidden_bit
  std::size_t at = extended ? 2 : 1;
  std::uint64_t size = 0;
  bool more = has_size;
  for (unsigned shift = 0; more; shift += 7) {  // leb128() (4.10.5)
    if (at >= bytes.size() || shift > 28) return std::nullopt;
    const auto byte = std::to_integer<std::uint64_t>(bytes[at++]);
    size |= (byte & 0x7F) << shift;
    more = (byte & 0x80) != 0;
  }
  if (at > bytes.size()) return std::nullopt;
  if (!has_size) size = bytes.size() - at;
  if (size > bytes.size() - at) return std::nullopt;
  const auto length = static_cast<std::size_t>(size);
  return Obu{header >> 3 & 0xF, bytes.subspan(at, length), at + length};
}

bool obus_fit(ByteSpan bytes) {
  while (!bytes.empty()) {
    const auto obu = front_obu(bytes);
    if (!obu) return false;
    bytes = bytes.subspan(obu->size_bytes);
  }
  return true;
}

std::size_t temporal_delimiter_bytes(ByteSpan temporal_unit) {
  std::size_t skipped = 0;
  for (auto rest = temporal_unit;;) {
    const auto obu = front_obu(rest);
    if (!obu || obu->type != obu_temporal_delimiter) return skipped;
    skipped += obu->size_bytes;
    rest = rest.subspan(obu->size_bytes);
  }
}

bool lacks_sequence_header(ByteSpan record) { return record.size() == record_head_bytes; }

Result<std::vector<std::byte>> av1_config(ByteSpan record, ByteSpan key_picture) {
  if (record.size() < record_head_bytes) return Errc::truncated;
  for (auto rest = key_picture; !rest.empty();) {
    const auto obu = front_obu(rest);
    if (!obu) return Errc::truncated;
    const auto whole = rest.first(obu->size_bytes);
    rest = rest.subspan(obu->size_bytes);
    if (obu->type != obu_sequence_header) continue;
    std::vector<std::byte> config(record.begin(), record.begin() + record_head_bytes);
    config.insert(config.end(), whole.begin(), whole.end());
    return config;
  }
  return Errc::bad_av1_config;
}

Result<TrackFormat> parse_av1_config(ByteSpan record) {
  if (record.size() < record_head_bytes) return Errc::truncated;
  if (record.size() > max_record_bytes || record[0] != marker_and_version) return Errc::bad_av1_config;
  std::optional<Sequence> sequence;
  for (auto rest = record.subspan(record_head_bytes); !rest.empty() && !sequence;) {
    const auto obu = front_obu(rest);
    if (!obu) return Errc::truncated;
    rest = rest.subspan(obu->size_bytes);
    if (obu->type != obu_sequence_header) continue;
    sequence = read_sequence(obu->payload);
    if (!sequence) return Errc::bad_av1_config;
  }
  if (!sequence) return Errc::bad_av1_config;
  if (sequence->width > max_picture_side || sequence->height > max_picture_side) {
    return Errc::picture_too_large;
  }
  auto format = video_format(Codec::av1, record, sequence->width, sequence->height, 1, 1, sequence->colour);
  format.codecs = codec_string(*sequence);
  set_frame_rate(sequence->rate_num, sequence->rate_den, format);
  return format;
}

}  // namespace lookback::packager
