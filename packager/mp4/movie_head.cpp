#include "packager/mp4/movie_head.hpp"

#include <array>
#include <limits>

#include "packager/mp4/box_writer.hpp"

namespace lookback::packager {
namespace {

constexpr std::uint64_t max_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::array<std::uint32_t, 9> unity_matrix{0x1'0000, 0, 0, 0, 0x1'0000, 0, 0, 0, 0x4000'0000};
constexpr std::uint32_t enabled = 1, in_movie = 2;  // tkhd's flags (8.3.2)
constexpr std::int64_t seconds_1904_to_1970 = 2'082'844'800;

/// Writes one head. Lives for one call.
class HeadWriter {
 public:
  explicit HeadWriter(const MovieHeader& movie)
      : movie_(movie), out_(table_bytes(movie)), wide_(movie.media_bytes + table_bytes(movie) > max_u32) {}

  std::vector<std::byte> write() {
    ftyp();
    const auto moov = out_.begin("moov");
    mvhd();
    for (std::size_t i = 0; i < movie_.tracks.size(); ++i) trak(i);
    out_.end(moov);
    mdat();
    place_chunks();
    return out_.take();
  }

 private:
  struct Offsets {
    std::size_t position = 0;  ///< in the head: of the first chunk's offset
    const std::vector<std::uint64_t>* chunks = nullptr;
  };

  /// At least what the head will take.
  static std::uint64_t table_bytes(const MovieHeader& movie) {
    std::uint64_t sum = 4'096;
    for (const auto& track : movie.tracks) {
      const auto& tables = *track.tables;
      sum += 4'096 + track.init->samples.size() + track.init->handler.size() + track.init->data_info.size();
      sum += 8 * (tables.durations().size() + tables.compositions().size() + tables.chunks().size());
      sum += 12 * tables.chunk_runs().size() + 4 * (tables.sizes().size() + tables.syncs().size());
    }
    return sum;
  }

  static std::uint64_t track_duration(const MovieTrack& track) { return track.empty + track.duration; }

  void ftyp() {
    const auto box = out_.begin("ftyp");
    out_.text("isom");
    out_.u32(0x200);
    out_.text("isomiso2avc1mp41");
    out_.end(box);
  }

  void times(bool wide) {
    const auto created = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, movie_.created_us / 1'000'000 + seconds_1904_to_1970));
    out_.number(created, wide);
    out_.number(created, wide);
  }

  /// Whether a box with this duration and the creation time needs version 1.
  bool needs_64_bits(std::uint64_t duration) const {
    return duration > max_u32 ||
           movie_.created_us / 1'000'000 + seconds_1904_to_1970 > static_cast<std::int64_t>(max_u32);
  }

  void mvhd() {
    std::uint64_t duration = 0;
    for (const auto& track : movie_.tracks) duration = std::max(duration, track_duration(track));
    const bool wide = needs_64_bits(duration);
    const auto box = out_.begin_full("mvhd", wide);
    times(wide);
    out_.u32(movie_.timescale);
    out_.number(duration, wide);
    out_.u32(0x1'0000);  // rate 1.0
    out_.u16(0x100);     // volume 1.0
    out_.zeros(10);
    for (const auto value : unity_matrix) out_.u32(value);
    out_.zeros(24);
    out_.u32(static_cast<std::uint32_t>(movie_.tracks.size() + 1));  // next_track_ID
    out_.end(box);
  }

  void trak(std::size_t index) {
    const auto& track = movie_.tracks[index];
    const auto box = out_.begin("trak");
    tkhd(index);
    edts(track);
    const auto mdia = out_.begin("mdia");
    mdhd(track);
    out_.raw(track.init->handler);
    const auto minf = out_.begin("minf");
    out_.raw(track.init->media_header);
    out_.raw(track.init->data_info);
    stbl(track);
    out_.end(minf);
    out_.end(mdia);
    out_.end(box);
  }

  bool is_first_of_its_kind(std::size_t index) const {
    for (std::size_t i = 0; i < index; ++i)
      if (movie_.tracks[i].init->kind == movie_.tracks[index].init->kind) return false;
    return true;
  }

  void tkhd(std::size_t index) {
    const auto& track = movie_.tracks[index];
    const bool audio = track.init->kind == MediaKind::audio;
    const auto duration = track_duration(track);
    const bool wide = needs_64_bits(duration);
    const auto box = out_.begin_full("tkhd", wide, in_movie | (is_first_of_its_kind(index) ? enabled : 0));
    times(wide);
    out_.u32(static_cast<std::uint32_t>(index + 1));
    out_.u32(0);
    out_.number(duration, wide);
    out_.zeros(8);
    out_.u16(0);              // layer
    out_.u16(audio ? 1 : 0);  // alternate_group: one language at a time
    out_.u16(audio ? 0x100 : 0);
    out_.u16(0);
    for (const auto value : unity_matrix) out_.u32(value);
    out_.u32(track.init->width);
    out_.u32(track.init->height);
    out_.end(box);
  }

  /// elst (8.6.6): nothing, if the track begins later than the others, then the media from `media_time` on.
  void edts(const MovieTrack& track) {
    const bool wide = track.duration > max_u32 || track.empty > max_u32 || track.media_time > max_u32 / 2;
    const auto box = out_.begin("edts");
    const auto elst = out_.begin_full("elst", wide);
    out_.u32(track.empty > 0 ? 2 : 1);
    if (track.empty > 0) {
      out_.number(track.empty, wide);
      out_.number(std::numeric_limits<std::uint64_t>::max(), wide);  // media_time -1
      out_.u32(0x1'0000);
    }
    out_.number(track.duration, wide);
    out_.number(track.media_time, wide);
    out_.u32(0x1'0000);  // media_rate 1.0
    out_.end(elst);
    out_.end(box);
  }

  void mdhd(const MovieTrack& track) {
    const auto duration = static_cast<std::uint64_t>(track.tables->duration());
    const bool wide = needs_64_bits(duration);
    const auto box = out_.begin_full("mdhd", wide);
    times(wide);
    out_.u32(track.init->timescale);
    out_.number(duration, wide);
    out_.u16(track.init->language);
    out_.u16(0);
    out_.end(box);
  }

  void stbl(const MovieTrack& track) {
    const auto& tables = *track.tables;
    const auto box = out_.begin("stbl");
    out_.raw(track.init->samples);
    stts(tables);
    ctts(tables);
    if (tables.syncs().size() != tables.samples()) stss(tables);
    stsc(tables);
    stsz(tables);
    chunk_offsets(tables);
    out_.end(box);
  }

  void stts(const MovieTables& tables) {
    const auto box = out_.begin_full("stts");
    out_.u32(static_cast<std::uint32_t>(tables.durations().size()));
    for (const auto& run : tables.durations()) {
      out_.u32(run.count);
      out_.u32(run.duration);
    }
    out_.end(box);
  }

  /// Left out when every sample is presented when it is decoded.
  void ctts(const MovieTables& tables) {
    const auto& runs = tables.compositions();
    if (runs.size() == 1 && runs.front().offset == 0) return;
    const auto box = out_.begin_full("ctts");
    out_.u32(static_cast<std::uint32_t>(runs.size()));
    for (const auto& run : runs) {
      out_.u32(run.count);
      out_.u32(static_cast<std::uint32_t>(run.offset + tables.composition_shift()));
    }
    out_.end(box);
  }

  void stss(const MovieTables& tables) {
    const auto box = out_.begin_full("stss");
    out_.u32(static_cast<std::uint32_t>(tables.syncs().size()));
    for (const auto sample : tables.syncs()) out_.u32(sample);
    out_.end(box);
  }

  void stsc(const MovieTables& tables) {
    const auto box = out_.begin_full("stsc");
    out_.u32(static_cast<std::uint32_t>(tables.chunk_runs().size()));
    for (const auto& run : tables.chunk_runs()) {
      out_.u32(run.first_chunk);
      out_.u32(run.samples);
      out_.u32(1);  // sample_description_index
    }
    out_.end(box);
  }

  void stsz(const MovieTables& tables) {
    const auto box = out_.begin_full("stsz");
    out_.u32(0);  // sample_size: they differ
    out_.u32(tables.samples());
    for (const auto size : tables.sizes()) out_.u32(size);
    out_.end(box);
  }

  void chunk_offsets(const MovieTables& tables) {
    const auto box = out_.begin_full(wide_ ? "co64" : "stco");
    out_.u32(static_cast<std::uint32_t>(tables.chunks().size()));
    offsets_.push_back({out_.size(), &tables.chunks()});
    out_.zeros(tables.chunks().size() * (wide_ ? 8 : 4));
    out_.end(box);
  }

  void mdat() {
    const auto size = movie_.media_bytes + 8;
    out_.u32(wide_ ? 1 : static_cast<std::uint32_t>(size));
    out_.text("mdat");
    if (wide_) out_.u64(size + 8);
  }

  void place_chunks() {
    const std::uint64_t media = out_.size();
    for (const auto& [position, chunks] : offsets_) {
      auto at = position;
      for (const auto chunk : *chunks) {
        const auto offset = media + chunk;
        if (wide_) out_.put(at, static_cast<std::uint32_t>(offset >> 32));
        if (wide_) at += 4;
        out_.put(at, static_cast<std::uint32_t>(offset));
        at += 4;
      }
    }
  }

  const MovieHeader& movie_;
  BoxWriter out_;
  const bool wide_;
  std::vector<Offsets> offsets_;
};

}  // namespace

std::vector<std::byte> write_movie_head(const MovieHeader& movie) { return HeadWriter(movie).write(); }

}  // namespace lookback::packager
