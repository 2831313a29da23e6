#include "server/pictures/worker/perform.hpp"

#include <algorithm>
#include <utility>

#include "server/pictures/worker/decode.hpp"
#include "server/pictures/worker/encode.hpp"
#include "server/pictures/worker/film.hpp"
#include "server/pictures/worker/render.hpp"

namespace lookback::server::pictures::worker {
namespace {

/// What becomes of the pictures in the order in which they come.
class Assembly {
 public:
  explicit Assembly(const Job& job) : job_(job) {
    if (job.grid)
      sheet_ = Raster(job.grid->columns * job.grid->cell_width, job.grid->rows * job.grid->cell_height);
  }

  void take(AVFrame& frame) {
    if (job_.grid) {
      lay_tile(frame);
    } else {
      encode_all(frame);
    }
    ++next_;
  }
  /// The next picture cannot be had: its cell stays empty.
  void skip_to(std::size_t picture) { next_ = picture; }

  Reply finish() {
    if (job_.grid && next_ > 0) encode_sheet();
    if (reply_.verdict == Verdict::done && reply_.images.empty()) reply_.verdict = Verdict::no_picture;
    return std::move(reply_);
  }

 private:
  void lay_tile(AVFrame& frame) {
    const auto& grid = *job_.grid;
    if (next_ >= grid.cells.size()) return;
    Output cell;
    cell.width = grid.cell_width;
    cell.height = grid.cell_height;
    const auto tile = render(frame, cell);
    if (tile.rgb.empty()) return;
    const auto at = grid.cells[next_];
    lay(sheet_, tile, at % grid.columns * grid.cell_width, at / grid.columns * grid.cell_height,
        grid.cell_width, grid.cell_height);
    laid_ = true;
  }

  void encode_all(const AVFrame& frame) {
    for (std::size_t i = 0; i < job_.outputs.size(); ++i) {
      const Frame copy(av_frame_clone(&frame));  // shares the pixels; `render` may crop it
      if (!copy) throw std::bad_alloc();
      append(render(*copy, job_.outputs[i]), i);
    }
  }

  void encode_sheet() {
    next_ = 0;
    for (std::size_t i = 0; laid_ && i < job_.outputs.size(); ++i) append(sheet_, i);
  }

  void append(const Raster& raster, std::size_t output) {
    if (raster.rgb.empty()) return;
    auto bytes = encode_image(raster, job_.outputs[output].format, job_.outputs[output].quality);
    if (!bytes) {
      reply_.verdict = Verdict::unsupported;
      return;
    }
    reply_.images.push_back({static_cast<std::uint16_t>(next_), static_cast<std::uint16_t>(output),
                             raster.width, raster.height, std::move(*bytes)});
  }

  const Job& job_;
  Raster sheet_;
  bool laid_ = false;
  std::size_t next_ = 0;
  Reply reply_;
};

/// 0: not known before the picture is.
std::uint32_t shown_width(const Job& job) {
  if (job.grid) return job.grid->cell_width;
  std::uint32_t widest = 0;
  for (const auto& output : job.outputs) {
    if (output.width == 0) return 0;
    widest = std::max(widest, output.width);
  }
  return widest;
}

template <class Assembly>
Reply perform_with(const Job& job, Assembly assembly) {
  std::size_t picture = 0;
  auto worst = Verdict::done;
  const DecodeOptions options{job.max_pixels, shown_width(job)};
  for (const auto& source : job.sources) {
    const auto verdict = decode(source, options, [&](AVFrame& frame) { assembly.take(frame); });
    if (verdict != Verdict::done) worst = verdict;
    picture += source.wanted.empty() ? source.samples.size() : source.wanted.size();
    assembly.skip_to(picture);
  }
  auto reply = assembly.finish();
  if (reply.images.empty() && worst != Verdict::done) reply.verdict = worst;
  return reply;
}

}  // namespace

Reply perform(const Job& job) {
  return job.clip ? perform_with(job, Film(job)) : perform_with(job, Assembly(job));
}

}  // namespace lookback::server::pictures::worker
