#include "store/index_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lookback::store {
namespace {

/// Families that a store of an older format lacks: the first opening makes them.
constexpr std::array<const char*, 2> newer_families = {"recordings", "sheets"};

/// Takes what RocksDB says. It keeps no log file of its own: a failed write of that would end the process,
/// too.
class ErrorLog final : public rocksdb::Logger {
 public:
  explicit ErrorLog(Log log) : Logger(rocksdb::InfoLogLevel::ERROR_LEVEL), log_(std::move(log)) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list values) override {
    std::array<char, 500> line;
    std::vsnprintf(line.data(), line.size(), format, values);
    log_(std::string("the index: ") + line.data());
  }
  void LogHeader(const char*, va_list) override {}

 private:
  const Log log_;
};

}  // namespace

rocksdb::DBOptions db_options(bool create, const Log& log) {
  rocksdb::DBOptions options;
  options.info_log = std::make_shared<ErrorLog>(log);
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  options.max_background_jobs = 2;
  options.max_open_files = 128;
  options.db_write_buffer_size = 16 << 20;
  options.max_total_wal_size = 32 << 20;
  options.max_manifest_file_size = 4 << 20;
  // Index::heal does that. RocksDB's own thread for it may leave behind a mark for which Close waits for
  // ever.
  options.max_bgerror_resume_count = 0;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  // A crash leaves a torn tail: what stands before it is good. Damage further up would end the replay early
  // too, silently; the store's sync mark finds that.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return options;
}

rocksdb::ColumnFamilyOptions family_options() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(16 << 20);
  table.block_size = 16 << 10;
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 8 << 20;
  options.compression = rocksdb::kLZ4Compression;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

void allow_newer_families(rocksdb::DBOptions& options, const std::filesystem::path& path) {
  std::vector<std::string> present;
  if (!rocksdb::DB::ListColumnFamilies(options, path.string(), &present).ok()) return;  // opening tells why
  const auto is_fine = [&](const char* name) {
    return std::ranges::find(present, name) != present.end() ||
           std::ranges::find(newer_families, std::string_view(name)) != newer_families.end();
  };
  options.create_missing_column_families = std::ranges::all_of(family_names, is_fine);
}

}  // namespace lookback::store
