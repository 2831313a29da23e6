#pragma once
#include <string>
#include <vector>

#include "tests/packager/mp4/box_walker.hpp"

/// A second reading of a progressive MP4 (ISO/IEC 14496-12), for tests: shares nothing with the writer,
/// throws on what is not so.
namespace lookback::test {

struct MovieSampleRow {
  std::uint64_t dts = 0, duration = 0, composition = 0, offset = 0;
  std::uint32_t size = 0;
  bool sync = true;
  ByteSpan bytes;
};

struct MovieEdit {
  std::uint64_t duration = 0;
  std::int64_t media_time = 0;
};

struct WalkedTrack {
  std::uint32_t id = 0, flags = 0, timescale = 0;
  std::string handler;
  std::uint64_t duration = 0, media_duration = 0;  ///< of tkhd, of mdhd
  double width = 0, height = 0;
  std::vector<MovieEdit> edits;
  std::vector<MovieSampleRow> samples;
  std::string stsd;
  bool wide_offsets = false;
};

struct WalkedMovie {
  std::uint64_t created = 0, duration = 0;
  std::uint32_t timescale = 0;
  std::uint64_t mdat_offset = 0, mdat_bytes = 0;  ///< of its content
  std::vector<WalkedTrack> tracks;
};

/// A full box's fields behind version and flags.
struct FullBox {
  std::uint32_t version = 0, flags = 0;
  Fields fields;
  explicit FullBox(const Box& box) : fields(box.body) {
    const auto head = fields.u32();
    version = head >> 24;
    flags = head & 0xFF'FFFF;
    must(version <= 1, box.type + "'s version");
  }
  std::uint64_t number() { return fields.read(version == 1 ? 8 : 4); }
};

/// The boxes of a file in memory, with 64-bit sizes.
inline std::vector<Box> file_boxes(ByteSpan bytes) {
  std::vector<Box> found;
  for (std::size_t at = 0; at < bytes.size();) {
    must(bytes.size() - at >= 8, "bytes behind the last box");
    Fields fields(bytes.subspan(at));
    std::uint64_t size = fields.u32(), head = 8;
    const auto type = std::string(as_text(bytes.subspan(at + 4, 4)));
    if (size == 1) {
      fields.read(4);
      size = fields.read(8);
      head = 16;
    }
    must(size >= head && size <= bytes.size() - at, type + " is longer than the file");
    found.push_back({type, at, bytes.subspan(at + head, size - head)});
    at += size;
  }
  return found;
}

inline void walk_samples(ByteSpan stbl, ByteSpan file, WalkedTrack& track) {
  FullBox stsz(find_one(stbl, "stsz"));
  const auto same = stsz.fields.u32(), count = stsz.fields.u32();
  for (std::uint32_t i = 0; i < count; ++i) {
    track.samples.push_back({});
    track.samples.back().size = same != 0 ? same : stsz.fields.u32();
  }
  must(stsz.fields.left() == 0, "stsz's size");

  FullBox stts(find_one(stbl, "stts"));
  std::size_t at = 0;
  std::uint64_t dts = 0;
  for (auto runs = stts.fields.u32(); runs > 0; --runs) {
    auto length = stts.fields.u32();
    const auto duration = stts.fields.u32();
    must(duration > 0 && duration <= 0x7FFF'FFFF, "a sample's duration");
    for (; length > 0; --length, dts += duration) {
      must(at < track.samples.size(), "stts has more samples than stsz");
      track.samples[at].dts = dts;
      track.samples[at++].duration = duration;
    }
  }
  must(at == track.samples.size() && stts.fields.left() == 0, "stts has fewer samples than stsz");
  must(dts == track.media_duration, "mdhd's duration is not the sum of all samples'");

  for (const auto& box : find_all(stbl, "ctts")) {
    FullBox ctts(box);
    must(ctts.version == 0, "ctts is not version 0");
    at = 0;
    for (auto runs = ctts.fields.u32(); runs > 0; --runs) {
      auto length = ctts.fields.u32();
      const auto offset = ctts.fields.u32();
      must(offset < 0x8000'0000, "a composition offset below 0");
      for (; length > 0; --length) {
        must(at < track.samples.size(), "ctts has more samples than stsz");
        track.samples[at++].composition = offset;
      }
    }
    must(at == track.samples.size() && ctts.fields.left() == 0, "ctts has fewer samples than stsz");
  }
  for (const auto& box : find_all(stbl, "stss")) {
    FullBox stss(box);
    for (auto& sample : track.samples) sample.sync = false;
    std::uint32_t before = 0;
    for (auto syncs = stss.fields.u32(); syncs > 0; --syncs) {
      const auto number = stss.fields.u32();
      must(number > before && number <= track.samples.size(), "stss does not ascend");
      track.samples[number - 1].sync = true;
      before = number;
    }
    must(stss.fields.left() == 0, "stss's size");
  }

  track.wide_offsets = !find_all(stbl, "co64").empty();
  FullBox offsets(find_one(stbl, track.wide_offsets ? "co64" : "stco"));
  std::vector<std::uint64_t> chunks(offsets.fields.u32());
  for (auto& chunk : chunks) chunk = offsets.fields.read(track.wide_offsets ? 8 : 4);
  must(offsets.fields.left() == 0, "the size of stco or co64");

  FullBox stsc(find_one(stbl, "stsc"));
  std::vector<std::uint32_t> per_chunk(chunks.size());
  std::uint32_t from = 0;
  for (auto runs = stsc.fields.u32(); runs > 0; --runs) {
    const auto first = stsc.fields.u32(), length = stsc.fields.u32();
    must(stsc.fields.u32() == 1, "sample_description_index");
    must(first > from && first <= chunks.size() && length > 0, "stsc does not ascend");
    for (auto chunk = first; chunk <= chunks.size(); ++chunk) per_chunk[chunk - 1] = length;
    from = first;
  }
  at = 0;
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
    auto offset = chunks[chunk];
    for (auto length = per_chunk[chunk]; length > 0; --length) {
      must(at < track.samples.size(), "stsc has more samples than stsz");
      auto& sample = track.samples[at++];
      must(offset <= file.size() && sample.size <= file.size() - offset, "a sample lies outside of the file");
      sample.offset = offset;
      sample.bytes = file.subspan(offset, sample.size);
      offset += sample.size;
    }
  }
  must(at == track.samples.size() && stsc.fields.left() == 0, "stsc has fewer samples than stsz");
}

inline WalkedTrack walk_track(ByteSpan trak, ByteSpan file) {
  WalkedTrack track;
  FullBox tkhd(find_one(trak, "tkhd"));
  track.flags = tkhd.flags;
  tkhd.number(), tkhd.number();
  track.id = tkhd.fields.u32();
  tkhd.fields.u32();
  track.duration = tkhd.number();
  must(tkhd.fields.left() == 60, "tkhd's size");
  Fields size(tkhd.fields.rest().subspan(52));
  track.width = size.u32() / 65536.0;
  track.height = size.u32() / 65536.0;

  FullBox mdhd(find_one(trak, "mdia/mdhd"));
  mdhd.number(), mdhd.number();
  track.timescale = mdhd.fields.u32();
  track.media_duration = mdhd.number();
  must(mdhd.fields.left() == 4, "mdhd's size");

  FullBox hdlr(find_one(trak, "mdia/hdlr"));
  hdlr.fields.u32();
  track.handler = as_text(hdlr.fields.rest().first(4));

  FullBox elst(find_one(trak, "edts/elst"));
  for (auto edits = elst.fields.u32(); edits > 0; --edits) {
    MovieEdit edit;
    edit.duration = elst.number();
    const auto time = elst.number();
    edit.media_time = elst.version == 1 ? static_cast<std::int64_t>(time)
                                        : static_cast<std::int32_t>(static_cast<std::uint32_t>(time));
    must(elst.fields.u32() == 0x1'0000, "media_rate");
    track.edits.push_back(edit);
  }
  must(elst.fields.left() == 0, "elst's size");

  const auto stbl = find_one(trak, "mdia/minf/stbl").body;
  const auto stsd = find_one(stbl, "stsd");
  track.stsd = as_text(stsd.body);
  must(Fields(stsd.body.subspan(4)).u32() == 1, "stsd's entry count");
  walk_samples(stbl, file, track);
  return track;
}

/// Reads a whole file: ftyp, moov, mdat and nothing else, samples inside mdat.
inline WalkedMovie walk_movie(ByteSpan file) {
  const auto top = file_boxes(file);
  must(top.size() == 3 && top[0].type == "ftyp" && top[1].type == "moov" && top[2].type == "mdat",
       "not ftyp, moov, mdat");
  WalkedMovie movie;
  movie.mdat_bytes = top[2].body.size();
  movie.mdat_offset = file.size() - movie.mdat_bytes;
  FullBox mvhd(find_one(top[1].body, "mvhd"));
  movie.created = mvhd.number();
  mvhd.number();
  movie.timescale = mvhd.fields.u32();
  movie.duration = mvhd.number();
  must(mvhd.fields.left() == 80, "mvhd's size");
  std::uint64_t longest = 0;
  for (const auto& trak : find_all(top[1].body, "trak")) {
    movie.tracks.push_back(walk_track(trak.body, file));
    const auto& track = movie.tracks.back();
    must(track.id == movie.tracks.size(), "track_ID");
    std::uint64_t shown = 0;
    for (const auto& edit : track.edits) shown += edit.duration;
    must(track.duration == shown, "tkhd's duration is not the sum of the edits'");
    longest = std::max(longest, shown);
    for (const auto& sample : track.samples)
      must(sample.offset >= movie.mdat_offset, "a sample lies outside of mdat");
  }
  must(!movie.tracks.empty() && movie.duration == longest, "mvhd's duration is not the longest track's");
  return movie;
}

}  // namespace lookback::test
