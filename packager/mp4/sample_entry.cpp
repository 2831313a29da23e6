#include "packager/mp4/sample_entry.hpp"

#include <string_view>

#include "packager/mp4/box_writer.hpp"

namespace lookback::packager {
namespace {

constexpr std::uint16_t data_reference = 1;

struct Names {
  std::string_view entry, config;
};

Names names_of(Codec codec) {
  switch (codec) {
    case Codec::vp9:
      return {"vp09", "vpcC"};
    case Codec::opus:
      return {"Opus", "dOps"};
    case Codec::ac3:
      return {"ac-3", "dac3"};
    case Codec::eac3:
      return {"ec-3", "dec3"};
    default:
      return {"fLaC", "dfLa"};
  }
}

/// VisualSampleEntry (12.1.3).
void picture_fields(BoxWriter& out, const TrackFormat& format) {
  constexpr std::uint32_t dpi_72 = 72u << 16;
  constexpr std::uint16_t one_frame = 1, depth_24 = 24, pre_defined = 0xFFFF;
  constexpr std::size_t compressor_name = 32;
  out.zeros(16);
  out.u16(static_cast<std::uint16_t>(format.coded_width));
  out.u16(static_cast<std::uint16_t>(format.coded_height));
  out.u32(dpi_72);
  out.u32(dpi_72);
  out.u32(0);
  out.u16(one_frame);
  out.zeros(compressor_name);
  out.u16(depth_24);
  out.u16(pre_defined);
}

/// AudioSampleEntry (12.2.3). A rate that 16 bits cannot hold is left to the codec's own box.
void sound_fields(BoxWriter& out, const TrackFormat& format) {
  constexpr std::uint16_t sample_bits = 16;
  out.zeros(8);
  out.u16(static_cast<std::uint16_t>(format.channels));
  out.u16(sample_bits);
  out.u32(0);
  out.u32(format.sample_rate <= 0xFFFF ? format.sample_rate << 16 : 0);
}

void config_box(BoxWriter& out, const TrackFormat& format, std::string_view type) {
  constexpr std::size_t vpcc_bytes = 8;
  constexpr std::uint32_t last_block_streaminfo = 0x80u << 24;
  const ByteSpan config(format.config);
  if (format.codec == Codec::vp9) {
    const auto box = out.begin_full(type, 1);
    out.raw(config.first(vpcc_bytes));  // width and height stand behind it
    out.end(box);
  } else if (format.codec == Codec::flac) {
    const auto box = out.begin_full(type);
    out.u32(last_block_streaminfo | static_cast<std::uint32_t>(config.size()));
    out.raw(config);
    out.end(box);
  } else {
    const auto box = out.begin(type);
    out.raw(config);
    out.end(box);
  }
}

/// `colr` for HDR, so that a player can tell before it decodes (12.1.5).
void colour_box(BoxWriter& out, const Colour& colour) {
  if (colour.range() == VideoRange::sdr) return;
  const auto box = out.begin("colr");
  out.text("nclx");
  out.u16(colour.primaries);
  out.u16(colour.transfer);
  out.u16(colour.matrix);
  out.u8(colour.full_range ? 0x80 : 0);
  out.end(box);
}

}  // namespace

bool muxer_knows(Codec codec) {
  return codec == Codec::avc || codec == Codec::hevc || codec == Codec::av1 || codec == Codec::aac ||
         codec == Codec::mp3;
}

std::vector<std::byte> sample_entry(const TrackFormat& format) {
  const auto names = names_of(format.codec);
  BoxWriter out;
  const auto entry = out.begin(names.entry);
  out.zeros(6);
  out.u16(data_reference);
  format.kind == MediaKind::video ? picture_fields(out, format) : sound_fields(out, format);
  config_box(out, format, names.config);
  if (format.kind == MediaKind::video) colour_box(out, format.colour);
  out.end(entry);
  return out.take();
}

}  // namespace lookback::packager
