#include <cstdio>

#include "tests/support/mp4_boxes.hpp"
#include "tests/support/mp4_reader.hpp"

namespace lookback::support {
namespace {

/// The children of `list`'s box of that type; throws when there is none.
std::vector<Box> inside(const std::vector<Box>& list, const std::string& type) {
  const auto* box = find_box(list, type);
  if (box == nullptr) Mp4Reader::fail("no " + type);
  return boxes(box->payload);
}

Mp4Reader reader_of(const std::vector<Box>& list, const std::string& type) {
  const auto* box = find_box(list, type);
  if (box == nullptr) Mp4Reader::fail("no " + type);
  return Mp4Reader(box->payload);
}

/// MPEG-4 descriptors (ISO/IEC 14496-1 7.2.6): the DecoderSpecificInfo inside an ES_Descriptor.
std::string audio_specific_config(std::string_view payload) {
  Mp4Reader reader(payload);
  reader.u32();
  while (!reader.rest().empty()) {
    const auto tag = reader.u8();
    std::size_t size = 0;
    for (std::uint8_t byte = 0x80; byte & 0x80;) {
      byte = reader.u8();
      size = size << 7 | (byte & 0x7F);
    }
    if (tag == 3) {
      reader.u16();
      const auto flags = reader.u8();
      if (flags & 0x80) reader.u16();
      if (flags & 0x40) reader.skip(reader.u8());
      if (flags & 0x20) reader.u16();
    } else if (tag == 4) {
      reader.skip(13);
    } else if (tag == 5) {
      return reader.text(size);
    } else {
      reader.skip(size);
    }
  }
  Mp4Reader::fail("esds without DecoderSpecificInfo");
}

void read_entry(std::string_view payload, InitTrack& track) {
  Mp4Reader reader(payload);
  reader.skip(8);  // reserved, data_reference_index
  const bool video = track.handler == "vide";
  if (video) {
    reader.skip(16);
    track.coded_width = reader.u16();
    track.coded_height = reader.u16();
    reader.skip(50);
  } else {
    reader.skip(8);
    track.channels = reader.u16();
    reader.skip(6);
    track.sample_rate = reader.u32() >> 16;
  }
  for (const auto& box : boxes(reader.rest())) {
    for (const auto* record : {"avcC", "hvcC", "av1C", "vpcC", "dOps", "dac3", "dec3", "dfLa"}) {
      if (box.type == record) track.config = box.payload;
    }
    if (box.type == "esds") track.config = audio_specific_config(box.payload);
    if (box.type == "colr" && box.payload.starts_with("nclx")) {
      Mp4Reader colour(box.payload.substr(6));
      track.transfer = colour.u16();
    }
  }
}

std::uint32_t entries_of(const std::vector<Box>& stbl, const std::string& type, std::size_t skip) {
  auto reader = reader_of(stbl, type);
  reader.skip(4 + skip);
  return reader.u32();
}

InitTrack read_track(const std::vector<Box>& trak) {
  InitTrack track;
  track.edit_list = find_box(trak, "edts") != nullptr;
  auto tkhd = reader_of(trak, "tkhd");
  const bool wide = (tkhd.u32() >> 24) == 1;
  tkhd.skip(wide ? 16 : 8);
  track.id = tkhd.u32();
  tkhd.u32();
  track.tkhd_duration = tkhd.number(wide ? 8 : 4);
  tkhd.skip(8 + 2 + 2 + 2 + 2 + 36);
  track.width = tkhd.u32() / 65536.0;
  track.height = tkhd.u32() / 65536.0;

  const auto mdia = inside(trak, "mdia");
  auto mdhd = reader_of(mdia, "mdhd");
  const bool wide_media = (mdhd.u32() >> 24) == 1;
  mdhd.skip(wide_media ? 16 : 8);
  track.timescale = mdhd.u32();
  track.mdhd_duration = mdhd.number(wide_media ? 8 : 4);
  auto hdlr = reader_of(mdia, "hdlr");
  hdlr.skip(8);
  track.handler = hdlr.text(4);

  const auto stbl = inside(inside(mdia, "minf"), "stbl");
  auto stsd = reader_of(stbl, "stsd");
  stsd.u32();
  track.entry_count = stsd.u32();
  const auto entries = boxes(stsd.rest());
  if (entries.empty()) Mp4Reader::fail("stsd without entry");
  track.entry = entries.front().type;
  read_entry(entries.front().payload, track);
  track.listed_samples = entries_of(stbl, "stts", 0) + entries_of(stbl, "stsc", 0) +
                         entries_of(stbl, "stsz", 4) +
                         entries_of(stbl, find_box(stbl, "co64") != nullptr ? "co64" : "stco", 0);
  return track;
}

}  // namespace

InitSegment parse_init(std::string_view bytes) {
  InitSegment init;
  const auto top = boxes(bytes);
  for (const auto& box : top) init.top_level.push_back(box.type);
  auto ftyp = reader_of(top, "ftyp");
  init.major_brand = ftyp.text(4);
  ftyp.u32();
  while (!ftyp.rest().empty()) init.brands.push_back(ftyp.text(4));

  const auto moov = inside(top, "moov");
  auto mvhd = reader_of(moov, "mvhd");
  const bool wide = (mvhd.u32() >> 24) == 1;
  mvhd.skip((wide ? 16 : 8) + 4);
  init.mvhd_duration = mvhd.number(wide ? 8 : 4);
  for (const auto& box : moov) {
    if (box.type == "trak") init.tracks.push_back(read_track(boxes(box.payload)));
  }
  for (const auto& box : inside(moov, "mvex")) {
    if (box.type != "trex") continue;
    Mp4Reader trex(box.payload);
    trex.u32();
    const auto id = trex.u32();
    for (auto& track : init.tracks) track.trex |= track.id == id;
  }
  return init;
}

std::string codecs_of(const InitTrack& track) {
  if (track.entry == "avc1" && track.config.size() >= 4) {
    char text[16];
    std::snprintf(text, sizeof text, "avc1.%02x%02x%02x", static_cast<unsigned char>(track.config[1]),
                  static_cast<unsigned char>(track.config[2]), static_cast<unsigned char>(track.config[3]));
    return text;
  }
  if (track.entry == "mp4a" && !track.config.empty()) {
    return "mp4a.40." + std::to_string(static_cast<unsigned char>(track.config[0]) >> 3);
  }
  Mp4Reader::fail("no codec name for " + track.entry);
}

}  // namespace lookback::support
