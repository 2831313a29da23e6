#include "server/pictures/sheet_maker.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "server/pictures/errc.hpp"

namespace lookback::server::pictures {
namespace {

constexpr std::uint16_t side_cells = 10;
/// The lowest rendition is the source, whatever else is made of it: so a tile has one content.
const Output any_size{ImageFormat::jpeg, 1, 1};

Output tile_output(std::uint32_t width) {
  Output output;
  output.width = width;
  output.height = cell_height(width);
  output.fit = Fit::pad;
  output.quality = SheetMaker::tile_quality;
  return output;
}

/// It may succeed the next time, or nobody waits for it any more.
bool is_passing(const boost::system::error_code& error) {
  return error == Errc::skipped || error == Errc::shutting_down || error == Errc::cannot_start;
}

std::string key_of(const SheetMaker::Wanted& wanted) { return wanted.stream + "/" + to_text(wanted.name); }

}  // namespace

/// One sheet on its way. Used by one thread after the other.
struct SheetMaker::Making {
  Wanted wanted;
  std::string key;
  bool planned = false;
  SheetPlan plan;
  std::map<std::uint16_t, Slice> tiles;  ///< by cell
  std::set<std::uint16_t> failed;        ///< cells whose picture cannot be had
  std::vector<std::uint16_t> asked;      ///< cells of the job that runs; empty: it makes the sheet
  std::size_t tiles_per_job = SheetMaker::tiles_per_job;
};

std::string SheetMaker::tile_key(const std::string& stream, const std::string& generation,
                                 std::uint32_t width, std::uint64_t msn) {
  return fmt::format("{}/tile-{}-{}-{}", stream, generation, width, msn);
}

void SheetMaker::get(Wanted wanted, Done done) {
  const auto making = std::make_shared<Making>();
  making->key = key_of(wanted);
  making->wanted = std::move(wanted);
  // What is in memory counts only while its media is stored.
  const auto& name = making->wanted.name;
  if (name.open) {
    if (const auto planned = plan(*making); !planned) return done(planned.error());
    if (auto kept = cache_.find(making->key)) return done(std::move(*kept));
  } else {
    const auto stored =
        media_.store.find_sheet({making->wanted.id, name.width, name.interval_ms, name.number});
    if (!stored) return done(stored.error());
    if (*stored) {
      if (auto kept = cache_.find(making->key)) return done(std::move(*kept));
      const auto bytes = media_.store.read_sheet(**stored);
      if (!bytes) return done(bytes.error());
      Slice slice{*bytes, ByteSpan(**bytes)};
      cache_.put(making->key, slice);
      return done(std::move(slice));
    }
  }
  bool refused = false, first = false;
  {
    const std::lock_guard lock(mutex_);
    first = !waiting_.contains(making->key);
    refused = first && waiting_.size() >= max_sheets;
    if (!refused) waiting_[making->key].push_back(std::move(done));
  }
  if (refused) return done(Errc::skipped);
  if (first) step(making);
}

void SheetMaker::step(const MakingPtr& making) {
  workers_.submit(
      Purpose::sheet, [this, making] { return next_job(*making); },
      [this, making](Result<Reply> reply) { take(making, std::move(reply)); });
}

Result<Job> SheetMaker::next_job(Making& making) {
  making.asked.clear();
  if (!making.planned) {
    if (auto done = plan(making); !done) return done.error();
  }
  auto job = tiles_job(making);
  if (!job || !job->sources.empty()) return job;
  return sheet_job(making);
}

Result<void> SheetMaker::plan(Making& making) {
  const auto& name = making.wanted.name;
  const auto end_cell = name.open ? name.open->cells : static_cast<std::uint32_t>(store::sheet_cells);
  auto plan = plan_sheet(media_.store, making.wanted.id, name.interval_ms, name.number, end_cell);
  if (!plan) return plan.error();
  if (plan->cells.empty() || (name.open && plan->open() != *name.open)) return store::Errc::not_found;
  making.plan = std::move(*plan);
  making.planned = true;
  return {};
}

/// The next tiles that are not there; without sources: all are.
Result<Job> SheetMaker::tiles_job(Making& making) {
  Job job;
  const auto& [stream, id, name] = making.wanted;
  const auto output = tile_output(name.width);
  for (const auto& [cell, pictures] : making.plan.cells) {
    if (job.sources.size() >= making.tiles_per_job) break;
    if (making.tiles.contains(cell) || making.failed.contains(cell)) continue;
    if (auto kept = cache_.find(tile_key(stream, name.generation, name.width, pictures.msn))) {
      making.tiles[cell] = std::move(*kept);
      continue;
    }
    auto source =
        read_key_picture(media_, stream, name.generation, pictures, any_size, workers_.options().max_pixels);
    if (!source && source.error() == store::Errc::io_error) {
      making.asked.clear();  // not now
      return source.error();
    }
    if (!source) {
      making.failed.insert(cell);  // its media has gone or is damaged: the cell stays black
      continue;
    }
    job.sources.push_back(std::move(*source));
    making.asked.push_back(cell);
  }
  if (!job.sources.empty()) job.outputs.push_back(output);
  return job;
}

Result<Job> SheetMaker::sheet_job(Making& making) const {
  if (making.tiles.empty()) return Errc::no_picture;
  Job job;
  Grid grid;
  grid.columns = grid.rows = side_cells;
  grid.cell_width = making.wanted.name.width;
  grid.cell_height = cell_height(grid.cell_width);
  for (const auto& [cell, bytes] : making.tiles) {
    Source tile;
    tile.codec = jpeg_source;
    tile.samples.push_back({0, bytes});
    job.sources.push_back(std::move(tile));
    grid.cells.push_back(cell);
  }
  job.grid = std::move(grid);
  Output output;
  output.quality = sheet_quality;
  job.outputs.push_back(output);
  return job;
}

void SheetMaker::take(const MakingPtr& making, Result<Reply> reply) {
  if (!reply && is_passing(reply.error())) return finish(making, reply.error());
  if (!making->asked.empty()) {
    take_tiles(*making, reply);
    return step(making);
  }
  if (!reply) return finish(making, reply.error());
  if (reply->images.empty()) return finish(making, Errc::no_picture);
  keep(making, make_slice(std::move(reply->images.front().bytes)));
}

/// What fails together is tried one by one: a picture that kills the decoder costs its own cell only.
void SheetMaker::take_tiles(Making& making, const Result<Reply>& reply) {
  if (!reply && making.asked.size() > 1) {
    making.tiles_per_job = 1;
    return;
  }
  if (reply) {
    const auto& [stream, id, name] = making.wanted;
    for (const auto& image : reply->images) {
      if (image.picture >= making.asked.size()) continue;
      const auto cell = making.asked[image.picture];
      auto bytes = make_slice(std::vector<std::byte>(image.bytes));
      cache_.put(tile_key(stream, name.generation, name.width, making.plan.cells.at(cell).msn), bytes);
      making.tiles[cell] = std::move(bytes);
    }
  }
  for (const auto cell : making.asked)
    if (!making.tiles.contains(cell)) making.failed.insert(cell);
}

/// A full sheet is shown when it is stored, so that it can never become another.
void SheetMaker::keep(const MakingPtr& making, Slice bytes) {
  if (making->wanted.name.open) {
    cache_.put(making->key, bytes);
    return finish(making, std::move(bytes));
  }
  boost::asio::post(blocking_, [this, making, bytes = std::move(bytes)] {
    const auto& name = making->wanted.name;
    store::SheetRecord record;
    record.key = {making->wanted.id, name.width, name.interval_ms, name.number};
    record.first_msn = making->plan.first_msn;
    record.last_msn = making->plan.last_msn;
    record.start_us = making->plan.start_us;
    record.end_us = making->plan.end_us;
    for (const auto& [cell, tile] : making->tiles) record.cells.set(cell);
    const auto stored = media_.store.put_sheet(record, bytes.bytes);
    if (!stored) {
      spdlog::warn("pictures: {} is not stored: {}", making->key, stored.error().message());
      return finish(making, stored.error());
    }
    const auto read = media_.store.read_sheet(*stored);
    if (!read) return finish(making, read.error());
    Slice slice{*read, ByteSpan(**read)};
    cache_.put(making->key, slice);
    finish(making, std::move(slice));
  });
}

void SheetMaker::finish(const MakingPtr& making, Outcome outcome) {
  std::vector<Done> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(making->key);
    waiting = std::move(found->second);
    waiting_.erase(found);
  }
  for (const auto& done : waiting) done(outcome);
}

Result<Job> SheetMaker::tile_job(const std::string& stream, const std::string& generation,
                                 const KeyPictures& pictures,
                                 const std::vector<std::uint32_t>& widths) const {
  auto source =
      read_key_picture(media_, stream, generation, pictures, any_size, workers_.options().max_pixels);
  if (!source) return source.error();
  Job job;
  job.sources.push_back(std::move(*source));
  for (const auto width : widths) job.outputs.push_back(tile_output(width));
  return job;
}

void SheetMaker::prepare_tiles(const std::string& stream, const std::string& generation,
                               const KeyPictures& pictures, const std::vector<std::uint32_t>& widths) {
  std::vector<std::uint32_t> missing;
  for (const auto width : widths)
    if (!cache_.find(tile_key(stream, generation, width, pictures.msn))) missing.push_back(width);
  if (missing.empty()) return;
  const auto key = tile_key(stream, generation, 0, pictures.msn);
  {
    const std::lock_guard lock(mutex_);
    if (preparing_.size() >= max_sheets * tiles_per_job || !preparing_.insert(key).second) return;
  }
  workers_.submit(
      Purpose::sheet,
      [this, stream, generation, pictures, missing] {
        return tile_job(stream, generation, pictures, missing);
      },
      [this, stream, generation, missing, key, msn = pictures.msn](Result<Reply> reply) {
        if (reply) {
          for (auto& image : reply->images) {
            if (image.output >= missing.size()) continue;
            cache_.put(tile_key(stream, generation, missing[image.output], msn),
                       make_slice(std::move(image.bytes)));
          }
        }
        const std::lock_guard lock(mutex_);
        preparing_.erase(key);
      });
}

}  // namespace lookback::server::pictures
