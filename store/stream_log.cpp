#include "store/stream_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "store/base/errc.hpp"
#include "store/codec.hpp"
#include "store/extent_format.hpp"
#include "store/file.hpp"
#include "store/system_error.hpp"
#include "store/wire.hpp"

namespace lookback::store {
namespace {

/// Entries are blocks as in extents; the file has one owner, so its nonce is zero.
constexpr ExtentHeader::Nonce no_nonce{};
/// What a log may grow beyond twice its newest records before it is written anew.
constexpr std::uint64_t slack_bytes = 4 << 20;

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
  return encode_block(no_nonce, BlockType::stream, encode(stream));
}

std::string log_entry(StreamId stream, const TrackRecord& track) {
  return encode_block(no_nonce, BlockType::track, Encoder().varint(stream).raw(encode(track)).take());
}

std::string log_entry(StreamId stream, const InitRecord& init) {
  return encode_block(no_nonce, BlockType::init, Encoder().varint(stream).raw(encode(init)).take());
}

Result<void> StreamLog::rewrite(const Catalog& catalog) {
  const std::lock_guard lock(mutex_);
  return rewrite_locked(catalog);
}

Result<void> StreamLog::rewrite_locked(const Catalog& catalog) {
  const auto target = folder_ / stream_log_name, fresh = folder_ / (std::string(stream_log_name) + ".new");
  const auto failed = [&](const char* doing) {
    const auto error = errno;
    log_(describe(doing + (" " + fresh.string()), error));
    return errc_of(error);
  };
  const auto entries = all_entries(catalog);
  if (!entries) return entries.error();
  Descriptor file(::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!file) return failed("creating");
  if (!write_all(file.get(), as_bytes(*entries)) || ::fdatasync(file.get()) != 0) return failed("writing");
  if (::rename(fresh.c_str(), target.c_str()) != 0) return failed("renaming");
  file_ = std::move(file);
  base_bytes_ = size_bytes_ = entries->size();
  dirty_ = false;
  return {};
}

void StreamLog::append(const std::string& entries, const Catalog& catalog) {
  const std::lock_guard lock(mutex_);
  // Also when it could not be opened, or an entry is missing: the index has them all.
  if (!file_ || size_bytes_ + entries.size() > 2 * base_bytes_ + slack_bytes) {
    (void)rewrite_locked(catalog);  // logged there; the next entry tries again
    return;
  }
  dirty_ = true;
  if (write_all(file_.get(), as_bytes(entries))) {
    size_bytes_ += entries.size();
    return;
  }
  log_(describe(std::string("writing ") + stream_log_name, errno));
  file_ = Descriptor();
}

Result<void> StreamLog::sync() {
  const std::lock_guard lock(mutex_);
  if (!dirty_ || !file_) return {};
  dirty_ = false;
  if (::fdatasync(file_.get()) == 0) return {};
  const auto error = errno;
  log_(describe(std::string("syncing ") + stream_log_name, error));
  file_ = Descriptor();  // it is written anew
  return errc_of(error);
}

Result<StreamLogContents> read_stream_log(const std::filesystem::path& folder) {
  StreamLogContents out;
  const auto path = folder / stream_log_name;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return out;
  if (!file) return errc_of(errno);
  const auto bytes = read_whole(file.get());
  if (!bytes) return bytes.error();
  for (ByteSpan left(*bytes); !left.empty();) {
    if (const auto block = decode_block(no_nonce, left)) {
      take(out, *block);
      left = left.subspan(block->size_bytes);
    } else {
      ++out.bad_bytes;
      left = left.subspan(1);
    }
  }
  return out;
}

}  // namespace lookback::store
