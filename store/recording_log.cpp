#include "store/recording_log.hpp"

#include "store/codec.hpp"

namespace lookback::store {
namespace {

void take(RecordingLogContents& out, const Block& block) {
  if (block.type == BlockType::recording_erased) {
    out.recordings.erase(std::string(as_text(block.payload)));
  } else if (block.type == BlockType::recording) {
    if (auto recording = decode_recording(block.payload))
      out.recordings[recording->id] = std::move(*recording);
  }
}

}  // namespace

std::string log_entry(const RecordingRecord& recording) {
  return block_log_entry(BlockType::recording, encode(recording));
}

std::string erased_log_entry(const std::string& recording) {
  return block_log_entry(BlockType::recording_erased, recording);
}

Result<void> RecordingLog::rewrite(const std::vector<RecordingRecord>& recordings) {
  std::string entries;
  for (const auto& recording : recordings) entries += log_entry(recording);
  const std::lock_guard lock(mutex_);
  return file_.rewrite(entries);
}

Result<void> RecordingLog::append(const std::string& entry) {
  const std::lock_guard lock(mutex_);
  if (auto added = file_.append(entry); !added) return added;
  return file_.sync();
}

bool RecordingLog::wants_rewrite() const {
  const std::lock_guard lock(mutex_);
  return file_.wants_rewrite();
}

Result<RecordingLogContents> read_recording_log(const std::filesystem::path& folder) {
  RecordingLogContents out;
  const auto bad_bytes =
      read_block_log(folder / recording_log_name, [&](const Block& block) { take(out, block); });
  if (!bad_bytes) return bad_bytes.error();
  out.bad_bytes = *bad_bytes;
  return out;
}

}  // namespace lookback::store
