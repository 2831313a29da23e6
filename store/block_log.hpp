#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "store/base/descriptor.hpp"
#include "store/base/result.hpp"
#include "store/extent_format.hpp"
#include "store/options.hpp"

namespace lookback::store {

/// A file of records beside the index (FORMAT.md), of which the newest of each kind and key holds: blocks as
/// in extents; the file has one owner, so their nonce is zero. Its owner guards it.
class BlockLog {
 public:
  /// `slack_bytes`: what it may grow beyond twice its newest records before it wants to be written anew.
  BlockLog(const std::filesystem::path& folder, const char* name, std::uint64_t slack_bytes, const Log& log)
      : folder_(folder), name_(name), slack_bytes_(slack_bytes), log_(log) {}

  /// Replaces the file by one with these entries. Durable on return. Blocking. Errors: reserve_reached,
  /// read_only, io_error; logged. After one the old file stands.
  Result<void> rewrite(std::string_view entries);
  /// Adds entries; `sync` makes them durable. Errors: as above; logged. After one it wants to be written
  /// anew.
  Result<void> append(std::string_view entries);
  /// Makes what was added durable. Blocking. Errors: io_error; logged. After one it wants to be written anew.
  Result<void> sync();
  /// It would have grown far beyond what is newest in it with so many bytes more, or has failed, or has not
  /// been written yet.
  bool wants_rewrite(std::uint64_t more_bytes = 0) const;

 private:
  Result<void> failed(const char* doing, const std::filesystem::path& path);
  /// Of what is added from now on, nobody knows whether it will be there.
  Result<void> give_up(const char* doing);

  const std::filesystem::path& folder_;
  const char* const name_;
  const std::uint64_t slack_bytes_;
  const Log& log_;
  Descriptor file_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t base_bytes_ = 0;  ///< as it was written anew
  bool dirty_ = false;
};

/// An entry of a log.
std::string block_log_entry(BlockType type, std::string_view payload);

/// Visits the entries of a log, the oldest first; none when there is no file. Returns the bytes that no entry
/// covers. Blocking. Errors: io_error.
Result<std::uint64_t> read_block_log(const std::filesystem::path& path,
                                     const std::function<void(const Block&)>& visit);

}  // namespace lookback::store
