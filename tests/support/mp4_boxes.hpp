#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A reader of ISO BMFF (ISO/IEC 14496-12) init segments and fragments, written from the standard and
/// independent of the server's code. Malformed bytes throw std::runtime_error. Views point into the bytes
/// given.
namespace lookback::support {

struct Box {
  std::string type;
  std::size_t offset = 0;    ///< of the box in the bytes that were parsed
  std::string_view payload;  ///< after the header
};

/// The boxes that `bytes` consists of, without rest.
std::vector<Box> boxes(std::string_view bytes);
const Box* find_box(const std::vector<Box>& list, std::string_view type);

struct InitTrack {
  std::uint32_t id = 0;
  std::string handler;  ///< "vide", "soun"
  std::uint32_t timescale = 0;
  std::uint64_t tkhd_duration = 0, mdhd_duration = 0;
  double width = 0, height = 0;   ///< of tkhd, after the sample aspect ratio
  std::string entry;              ///< "avc1", "mp4a"
  std::uint32_t entry_count = 0;  ///< of stsd
  std::uint32_t coded_width = 0, coded_height = 0;
  std::uint32_t channels = 0, sample_rate = 0;
  std::string config;                ///< avcC's record, or the AudioSpecificConfig of esds
  std::uint32_t listed_samples = 0;  ///< in stts, stsz, stsc, stco together: 0 in an init segment
  bool edit_list = false;
  bool trex = false;
  std::optional<std::uint32_t> transfer;  ///< transfer_characteristics of colr/nclx
};

struct InitSegment {
  std::string major_brand;
  std::vector<std::string> brands;     ///< compatible ones
  std::vector<std::string> top_level;  ///< types in order
  std::uint64_t mvhd_duration = 0;
  std::vector<InitTrack> tracks;
};

InitSegment parse_init(std::string_view bytes);

struct SampleEntry {
  std::int64_t dts = 0;
  std::uint32_t duration = 0;
  std::int64_t composition = 0;
  std::uint32_t flags = 0;
  std::string_view data;

  bool sync() const { return (flags & 0x00010000u) == 0; }  ///< 8.8.3.1: sample_is_non_sync_sample is 0
  std::int64_t pts() const { return dts + composition; }
};

struct Fragment {
  std::uint32_t sequence = 0;
  std::uint32_t track_id = 0;
  std::uint32_t tfhd_flags = 0;
  std::uint8_t tfdt_version = 0;
  std::int64_t decode_time = 0;  ///< tfdt
  std::size_t trafs = 0, truns = 0;
  std::vector<std::string> traf_order;  ///< types inside the traf
  std::uint8_t trun_version = 0;
  std::vector<SampleEntry> samples;
  bool samples_fill_mdat = false;  ///< samples are addressed inside this fragment's mdat and cover it

  std::int64_t duration() const;
};

struct MediaFile {
  std::vector<std::string> top_level;
  std::vector<Fragment> fragments;
};

/// A part or a segment: moof + mdat, repeated; styp, sidx, prft and emsg may stand between.
MediaFile parse_media(std::string_view bytes);

/// NAL unit types of an AVC sample with 4-byte lengths.
std::vector<int> nal_types(std::string_view sample);

/// RFC 6381 name of the track, built from its own configuration: "avc1.64001f", "mp4a.40.2".
std::string codecs_of(const InitTrack& track);

}  // namespace lookback::support
