#include "store/stream_log.hpp"

#include "store/codec.hpp"
#include "store/wire.hpp"

namespace lookback::store {
namespace {

Result<std::string> all_entries(const Catalog& catalog) {
  std::string out;
  const auto streams = catalog.streams();
  if (!streams) return streams.error();
  for (const auto& stream : *streams) {
    out += log_entry(stream);
    const auto tracks = catalog.tracks(stream.id);
    if (!tracks) return tracks.error();
    for (const auto& track : *tracks) {
      out += log_entry(stream.id, track);
      const auto inits = catalog.inits(stream.id, track.id);
      if (!inits) return inits.error();
      if (!inits->empty()) out += log_entry(stream.id, inits->back());
    }
  }
  return out;
}

void take(StreamLogContents& out, const Block& block) {
  if (block.type == BlockType::stream) {
    if (auto stream = decode_stream(block.payload)) out.streams[stream->id] = std::move(*stream);
    return;
  }
  Decoder in(block.payload);
  const auto stream = in.varint();
  if (!in.ok()) return;
  if (block.type == BlockType::track) {
    if (auto track = decode_track(in.left())) out.tracks[stream].tracks[track->id] = std::move(*track);
  } else if (block.type == BlockType::init) {
    if (auto init = decode_init(in.left()))
      out.tracks[stream].inits[{init->track, init->id}] = std::move(*init);
  }
}

}  // namespace

std::string log_entry(const StreamRecord& stream) {
  return block_log_entry(BlockType::stream, encode(stream));
}

std::string log_entry(StreamId stream, const TrackRecord& track) {
  return block_log_entry(BlockType::track, Encoder().varint(stream).raw(encode(track)).take());
}

std::string log_entry(StreamId stream, const InitRecord& init) {
  return block_log_entry(BlockType::init, Encoder().varint(stream).raw(encode(init)).take());
}

Result<void> StreamLog::rewrite(const Catalog& catalog) {
  const std::lock_guard lock(mutex_);
  return rewrite_locked(catalog);
}

/// The lock is held from the look at the index on, so that no entry of another thread falls between.
Result<void> StreamLog::rewrite_locked(const Catalog& catalog) {
  const auto entries = all_entries(catalog);
  if (!entries) return entries.error();
  return file_.rewrite(*entries);
}

void StreamLog::append(const std::string& entries, const Catalog& catalog) {
  const std::lock_guard lock(mutex_);
  if (file_.wants_rewrite(entries.size())) {
    // Also when it could not be opened, or an entry is missing: the index has them all.
    (void)rewrite_locked(catalog);  // logged there; the next entry tries again
  } else {
    (void)file_.append(entries);  // logged there; the next entry writes it anew
  }
}

Result<void> StreamLog::sync() {
  const std::lock_guard lock(mutex_);
  return file_.sync();
}

Result<StreamLogContents> read_stream_log(const std::filesystem::path& folder) {
  StreamLogContents out;
  const auto bad_bytes =
      read_block_log(folder / stream_log_name, [&](const Block& block) { take(out, block); });
  if (!bad_bytes) return bad_bytes.error();
  out.bad_bytes = *bad_bytes;
  return out;
}

}  // namespace lookback::store
