#pragma once
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "packager/mp4/moof_reader.hpp"
#include "packager/mp4/movie.hpp"
#include "packager/stream_packager.hpp"
#include "tests/packager/media/clip.hpp"

/// Clips that went through the real StreamPackager, kept in memory as the store would keep them.
namespace lookback::test {

struct StoredTrack {
  store::TrackRecord record;
  std::map<std::uint32_t, std::vector<std::byte>> inits;
  std::map<std::uint64_t, store::SegmentRecord> segments;  ///< by msn; newest record
  std::map<std::uint64_t, std::vector<std::byte>> bytes;
};

class StoredStream {
 public:
  static constexpr std::int64_t noon_us = 1'800'000'000'000'000;

  StoredStream() {
    record_.id = 1;
    record_.name = "live/x";
    record_.generation = "test";
    record_.epoch_us = noon_us - 10'000'000;
    packager::Outputs out;
    packager_.emplace(packager::PackagerSettings{}, record_, store::Window{}, out);
    take(out);
  }

  /// One session out of the H.264 and AAC tracks of a file, in real time. Packets for which `keep` is
  /// false are left out.
  using Keep = std::function<bool(packager::MediaKind kind, std::int64_t dts_us)>;
  void publish(const fs::path& file, const Keep& keep = {}) {
    const auto input = open(file);
    packager::Outputs out;
    for (unsigned i = 0; i < input->nb_streams; ++i) {
      const auto& par = *input->streams[i]->codecpar;
      if (!is_packaged(par)) continue;
      REQUIRE(packager_->set_format(parse(par).value(), now_us_, out).has_value());
    }
    const auto session_us = now_us_;
    std::optional<std::int64_t> zero_us;
    const Packet packet(av_packet_alloc());
    for (; av_read_frame(input.get(), packet.get()) == 0; av_packet_unref(packet.get())) {
      const auto* const stream = input->streams[packet->stream_index];
      if (!is_packaged(*stream->codecpar)) continue;
      const AVRational us{1, 1'000'000};
      packager::SourceSample sample;
      sample.kind = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO ? packager::MediaKind::video
                                                                       : packager::MediaKind::audio;
      sample.dts_us = av_rescale_q(packet->dts, stream->time_base, us);
      sample.composition_us =
          static_cast<std::int32_t>(av_rescale_q(packet->pts - packet->dts, stream->time_base, us));
      sample.sync = (packet->flags & AV_PKT_FLAG_KEY) != 0;
      const auto* const data = reinterpret_cast<const std::byte*>(packet->data);
      sample.payload = make_slice(std::vector<std::byte>(data, data + packet->size));
      if (!zero_us) zero_us = sample.dts_us;
      if (keep && !keep(sample.kind, sample.dts_us - *zero_us)) continue;
      now_us_ = session_us + std::max<std::int64_t>(0, sample.dts_us - *zero_us);
      REQUIRE(packager_->push(sample, now_us_, out).has_value());
    }
    REQUIRE(packager_->end_session(out).has_value());
    take(out);
  }
  void wait(std::int64_t us) { now_us_ += us; }

  /// Every output of the packager so far, for tests that have a real store.
  const packager::Outputs& outputs() const { return all_; }
  const std::map<store::TrackId, StoredTrack>& tracks() const { return tracks_; }
  std::map<store::TrackId, StoredTrack>& tracks() { return tracks_; }

  std::int64_t start_us() const { return ends().first; }
  std::int64_t end_us() const { return ends().second; }

  /// The movie of a range, as a whole file.
  struct File {
    packager::Movie movie;
    std::vector<std::byte> bytes;
  };
  File movie(packager::MovieRange range) const {
    std::vector<const StoredTrack*> tracks;
    std::vector<packager::MovieInit> inits;
    std::set<std::uint64_t> numbers;
    for (const auto& [id, track] : tracks_) {
      tracks.push_back(&track);
      inits.push_back(packager::read_movie_init(track.inits.begin()->second).value());
      for (const auto& [msn, segment] : track.segments) numbers.insert(msn);
    }
    packager::MovieBuilder builder(inits, range);
    for (const auto msn : numbers) {
      std::vector<packager::SampleTable> tables(tracks.size());
      packager::MovieGroup group;
      bool wanted = false;
      for (std::size_t i = 0; i < tracks.size(); ++i) {
        group.segments.push_back(segment(*tracks[i], msn, tables[i]));
        const auto& known = group.segments.back();
        const auto found = tracks[i]->segments.find(msn);
        if (found != tracks[i]->segments.end()) group.discontinuity |= found->second.discontinuity;
        wanted |= known.known && known.pdt_us < range.end_us;
      }
      if (wanted) REQUIRE(builder.add(group).has_value());
    }
    File file{builder.finish().value(), {}};
    file.bytes = file.movie.head;
    for (const auto& piece : file.movie.pieces) {
      const auto& bytes = tracks[piece.track]->bytes.at(piece.msn);
      REQUIRE(bytes.size() == piece.size_bytes);
      file.bytes.insert(file.bytes.end(), bytes.begin(), bytes.end());
    }
    REQUIRE(file.bytes.size() == file.movie.size_bytes);
    return file;
  }

  /// What an HLS player downloads of a track.
  std::vector<std::byte> hls(const StoredTrack& track) const {
    auto all = track.inits.begin()->second;
    for (const auto& [msn, bytes] : track.bytes) all.insert(all.end(), bytes.begin(), bytes.end());
    return all;
  }

  static packager::MovieSegment segment(const StoredTrack& track, std::uint64_t msn,
                                        packager::SampleTable& table) {
    packager::MovieSegment segment;
    const auto found = track.segments.find(msn);
    if (found == track.segments.end()) return segment;
    const auto& record = found->second;
    segment.known = true;
    segment.start = record.start;
    segment.duration = record.duration;
    segment.pdt_us = record.pdt_us;
    if (record.gap || !track.bytes.contains(msn)) return segment;
    const ByteSpan bytes = track.bytes.at(msn);
    std::uint32_t offset = 0;
    for (const auto& part : record.parts) {
      REQUIRE(packager::read_part(bytes.subspan(offset, part.size_bytes), part.size_bytes, offset, table)
                  .has_value());
      offset += part.size_bytes;
    }
    segment.table = &table;
    segment.piece = {msn, 1, 0, static_cast<std::uint32_t>(bytes.size()), 0, 0};
    return segment;
  }

 private:
  void take(packager::Outputs& out) {
    for (auto& output : out) {
      if (const auto* fresh = std::get_if<packager::NewTrack>(&output)) {
        tracks_[fresh->record.id].record = fresh->record;
      } else if (const auto* init = std::get_if<packager::NewInit>(&output)) {
        tracks_[init->record.track].inits[init->record.id] = init->record.bytes;
      } else if (const auto* append = std::get_if<store::Append>(&output)) {
        auto& track = tracks_[append->track];
        track.segments[append->segment.msn] = append->segment;
        auto& bytes = track.bytes[append->segment.msn];
        const auto part = flatten(append->bytes);
        bytes.insert(bytes.end(), part.begin(), part.end());
      }
      all_.push_back(std::move(output));
    }
    out.clear();
  }
  std::pair<std::int64_t, std::int64_t> ends() const {
    std::pair<std::int64_t, std::int64_t> ends{INT64_MAX, INT64_MIN};
    for (const auto& [id, track] : tracks_) {
      for (const auto& [msn, segment] : track.segments) {
        ends.first = std::min(ends.first, segment.pdt_us);
        ends.second = std::max(ends.second, segment.pdt_us + std::int64_t{segment.duration} * 1'000'000 /
                                                                 track.record.timescale);
      }
    }
    return ends;
  }

  store::StreamRecord record_;
  std::optional<packager::StreamPackager> packager_;
  std::int64_t now_us_ = noon_us;
  std::map<store::TrackId, StoredTrack> tracks_;
  packager::Outputs all_;
};

inline void write_bytes(const fs::path& path, ByteSpan bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(out.flush().good());
}

}  // namespace lookback::test
