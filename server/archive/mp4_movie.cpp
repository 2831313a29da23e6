#include "server/archive/mp4_movie.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "server/archive/mp4_reader.hpp"
#include "store/base/crc32c.hpp"

namespace lookback::server {
namespace {

using packager::MovieGroup;
using store::SegmentRecord;

Result<store::StreamRecord> find_stream(store::Store& store, const std::string& name) {
  for (auto& record : store.streams())
    if (record.name == name) return std::move(record);
  return store::Errc::not_found;
}

/// Leaves the segments of the request's numbers.
void keep_numbers(store::Window& window, const Mp4Request& request) {
  if (request.first_msn == 0 && request.end_msn == UINT64_MAX) return;
  for (auto& track : window.tracks) {
    std::erase_if(track.segments, [&](const SegmentRecord& segment) {
      return segment.msn < request.first_msn || segment.msn >= request.end_msn;
    });
  }
}

bool is_readable(const SegmentRecord* segment) {
  return segment != nullptr && !segment->gap && segment->extent != 0 && !segment->parts.empty();
}

/// The tag of a movie is a hash of its head and of the checksums of what follows.
std::string etag_of(const packager::Movie& movie) {
  const auto free = [](EVP_MD_CTX* context) { EVP_MD_CTX_free(context); };
  const std::unique_ptr<EVP_MD_CTX, decltype(free)> context(EVP_MD_CTX_new(), free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  EVP_DigestUpdate(context.get(), movie.head.data(), movie.head.size());
  for (const auto& piece : movie.pieces) {
    const std::uint32_t words[] = {piece.size_bytes, piece.crc32c};
    EVP_DigestUpdate(context.get(), words, sizeof words);
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_DigestFinal_ex(context.get(), digest, nullptr);
  std::string tag = "\"";
  for (int i = 0; i < 16; ++i) tag += fmt::format("{:02x}", digest[i]);
  return tag + "\"";
}

Result<void> check_bytes(const store::ExtentFile& file, const packager::MoviePiece& piece) {
  constexpr std::uint32_t step = 256 << 10;
  std::uint32_t sum = 0;
  for (std::uint32_t done = 0; done < piece.size_bytes; done += step) {
    const auto bytes = file.read(piece.offset + done, std::min(step, piece.size_bytes - done));
    if (!bytes) return bytes.error();
    sum = crc32c(**bytes, sum);
  }
  if (sum != piece.crc32c) return store::Errc::damaged;
  return {};
}

/// Reads a plan's segments and has the movie built of them. Lives for one call.
class MovieReader {
 public:
  MovieReader(store::Store& store, const Mp4Plan& plan, packager::MovieRange range)
      : plan_(plan), reader_(store, readable(plan)), builder_(inits(plan), range) {}

  Result<packager::Movie> run() {
    std::vector<packager::SampleTable> tables(plan_.tracks.size());
    MovieGroup group;
    for (const auto& planned : plan_.groups) {
      group.discontinuity = planned.discontinuity;
      group.segments.assign(plan_.tracks.size(), {});
      for (std::size_t i = 0; i < plan_.tracks.size(); ++i) {
        if (planned.segments[i] == nullptr) continue;
        const auto filled = fill(i, *planned.segments[i], tables[i], group.segments[i]);
        if (!filled) return filled.error();
      }
      if (const auto added = builder_.add(group); !added) return added.error();
    }
    return builder_.finish();
  }

 private:
  static std::vector<packager::MovieInit> inits(const Mp4Plan& plan) {
    std::vector<packager::MovieInit> out;
    for (const auto& track : plan.tracks) out.push_back(track.init);
    return out;
  }
  static std::vector<const SegmentRecord*> readable(const Mp4Plan& plan) {
    std::vector<const SegmentRecord*> out;
    for (const auto& group : plan.groups)
      std::copy_if(group.segments.begin(), group.segments.end(), std::back_inserter(out), is_readable);
    return out;
  }

  Result<void> fill(std::size_t track, const SegmentRecord& record, packager::SampleTable& table,
                    packager::MovieSegment& segment) {
    segment.known = true;
    segment.start = record.start;
    segment.duration = record.duration;
    segment.pdt_us = record.pdt_us;
    if (!is_readable(&record)) return {};
    const auto read = reader_.next(table);
    if (!read && read.error() == store::Errc::io_error) return read.error();
    if (!read || table.start != record.start) {
      spdlog::error("mp4: segment {} of {} is left out: its boxes cannot be read back", record.msn,
                    plan_.tracks[track].record.name);
      return {};
    }
    segment.table = &table;
    segment.piece = {record.msn, record.extent, record.offset, record.size_bytes, record.crc32c, 0};
    return {};
  }

  const Mp4Plan& plan_;
  Mp4Reader reader_;
  packager::MovieBuilder builder_;
};

}  // namespace

Result<Mp4Outcome> build_mp4(store::Store& store, const Mp4Request& request) {
  const auto stream = find_stream(store, request.stream);
  if (!stream) return stream.error();
  auto window = store.load_window(stream->id, request.range.start_us - mp4_run_up_us, request.range.end_us);
  if (!window) return window.error();
  keep_numbers(*window, request);
  const auto planned = plan_mp4(*window, request.range);
  if (!planned) return planned.error();
  if (const auto* sections = std::get_if<Mp4Sections>(&*planned)) return Mp4Outcome{nullptr, *sections};
  const auto& plan = std::get<Mp4Plan>(*planned);
  auto movie = MovieReader(store, plan, request.range).run();
  if (!movie && movie.error() == packager::Errc::nothing_to_show) return store::Errc::not_found;
  if (!movie) return movie.error();

  auto out = std::make_shared<Mp4Movie>();
  out->stream = stream->id;
  for (const auto& track : plan.tracks) out->tracks.push_back(track.record.id);
  out->etag = etag_of(*movie);
  out->head = make_slice(std::move(movie->head));
  out->pieces = std::move(movie->pieces);
  out->checked = std::make_unique<std::atomic<bool>[]>(out->pieces.size());
  out->size_bytes = movie->size_bytes;
  out->start_us = movie->start_us;
  out->duration_us = movie->duration_us;
  return Mp4Outcome{std::move(out), {}};
}

Result<std::shared_ptr<const store::ExtentFile>> open_piece(store::Store& store, const Mp4Movie& movie,
                                                            std::size_t index) {
  const auto& piece = movie.pieces[index];
  const auto record = store.find_segment(movie.stream, movie.tracks[piece.track], piece.msn);
  if (!record) return record.error();
  const bool same = !record->gap && record->extent == piece.extent && record->offset == piece.offset &&
                    record->size_bytes == piece.size_bytes && record->crc32c == piece.crc32c;
  if (!same) return store::Errc::damaged;  // found to be so since the movie was built
  auto file = store.extent(piece.extent);
  if (!file || movie.checked[index].load(std::memory_order_relaxed)) return file;
  if (const auto checked = check_bytes(**file, piece); !checked) {
    spdlog::error("mp4: segment {} in extent {} at {} does not match its checksum: {}", piece.msn,
                  piece.extent, piece.offset, checked.error().message());
    return checked.error();
  }
  movie.checked[index].store(true, std::memory_order_relaxed);
  return file;
}

}  // namespace lookback::server
