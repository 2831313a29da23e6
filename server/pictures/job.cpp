#include "server/pictures/job.hpp"

#include "server/pictures/errc.hpp"
#include "store/wire.hpp"

namespace lookback::server::pictures {
namespace {

using store::Decoder;
using store::Encoder;

constexpr std::size_t max_config_bytes = 1u << 20;
constexpr std::uint16_t max_grid_side = 20;

std::string framed(std::string payload) {
  Encoder head;
  head.u32(static_cast<std::uint32_t>(payload.size())).u32(protocol_version);
  return head.take() + payload;
}

void put(Encoder& out, const Source& source) {
  out.u8(source.codec).sized(ByteSpan(source.config)).varint(source.samples.size());
  for (const auto& sample : source.samples) out.zigzag(sample.pts).sized(sample.bytes.bytes);
  out.varint(source.wanted.size());
  for (const auto instant : source.wanted) out.zigzag(instant);
}

void put(Encoder& out, const Output& output) {
  out.u8(static_cast<std::uint8_t>(output.format)).varint(output.width).varint(output.height);
  out.u8(static_cast<std::uint8_t>(output.fit)).u8(output.quality);
}

void put(Encoder& out, const Grid& grid) {
  out.varint(grid.columns).varint(grid.rows).varint(grid.cell_width).varint(grid.cell_height);
  out.varint(grid.cells.size());
  for (const auto cell : grid.cells) out.varint(cell);
}

/// A number from 1 to `last`, as an enumeration's.
template <class Enum>
Enum take_enum(Decoder& in, std::uint8_t last) {
  const auto number = in.u8();
  if (number < 1 || number > last) in.fail();
  return static_cast<Enum>(number);
}

Source take_source(Decoder& in, const Slice& payload) {
  Source source;
  source.codec = in.u8();
  const auto config = in.sized(max_config_bytes);
  source.config.assign(config.begin(), config.end());
  const auto samples = in.varint_up_to(max_samples);
  for (std::uint64_t i = 0; i < samples && in.ok(); ++i) {
    Sample sample;
    sample.pts = in.zigzag();
    sample.bytes = {payload.owner, in.sized(max_job_bytes)};
    source.samples.push_back(std::move(sample));
  }
  const auto wanted = in.varint_up_to(max_samples);
  for (std::uint64_t i = 0; i < wanted && in.ok(); ++i) {
    source.wanted.push_back(in.zigzag());
    if (i > 0 && source.wanted[i] < source.wanted[i - 1]) in.fail();
  }
  return source;
}

Output take_output(Decoder& in) {
  Output output;
  output.format = take_enum<ImageFormat>(in, 2);
  output.width = static_cast<std::uint32_t>(in.varint_up_to(max_output_side));
  output.height = static_cast<std::uint32_t>(in.varint_up_to(max_output_side));
  output.fit = take_enum<Fit>(in, 4);
  output.quality = take_enum<std::uint8_t>(in, 100);
  return output;
}

Grid take_grid(Decoder& in) {
  Grid grid;
  grid.columns = static_cast<std::uint16_t>(in.varint_up_to(max_grid_side));
  grid.rows = static_cast<std::uint16_t>(in.varint_up_to(max_grid_side));
  grid.cell_width = static_cast<std::uint32_t>(in.varint_up_to(max_output_side));
  grid.cell_height = static_cast<std::uint32_t>(in.varint_up_to(max_output_side));
  const auto count = in.varint_up_to(max_sources);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    grid.cells.push_back(static_cast<std::uint16_t>(in.varint_up_to(max_grid_side * max_grid_side)));
    if (grid.cells.back() >= grid.columns * grid.rows) in.fail();
  }
  const bool fits = grid.columns * grid.cell_width <= max_output_side &&
                    grid.rows * grid.cell_height <= max_output_side && grid.cell_width > 0 &&
                    grid.cell_height > 0;
  if (!fits) in.fail();
  return grid;
}

}  // namespace

std::string encode(const Job& job) {
  Encoder out;
  out.varint(job.max_pixels).varint(job.max_cpu_ms).varint(job.sources.size());
  for (const auto& source : job.sources) put(out, source);
  out.u8(job.grid ? 1 : 0);
  if (job.grid) put(out, *job.grid);
  out.varint(job.outputs.size());
  for (const auto& output : job.outputs) put(out, output);
  return framed(out.take());
}

std::string encode(const Reply& reply) {
  Encoder out;
  out.u8(static_cast<std::uint8_t>(reply.verdict)).varint(reply.images.size());
  for (const auto& image : reply.images) {
    out.varint(image.picture).varint(image.output).varint(image.width).varint(image.height);
    out.sized(ByteSpan(image.bytes));
  }
  return framed(out.take());
}

Result<std::size_t> payload_bytes(ByteSpan head, std::size_t limit) {
  Decoder in(head);
  const std::size_t size = in.u32();
  const bool good = in.u32() == protocol_version && in.done() && size <= limit;
  if (!good) return Errc::bad_message;
  return size;
}

Result<Job> decode_job(const Slice& payload) {
  Decoder in(payload.bytes);
  Job job;
  job.max_pixels = in.varint();
  job.max_cpu_ms = in.varint32();
  const auto sources = in.varint_up_to(max_sources);
  for (std::uint64_t i = 0; i < sources && in.ok(); ++i) job.sources.push_back(take_source(in, payload));
  const auto has_grid = in.u8();
  if (has_grid > 1) in.fail();
  if (has_grid == 1 && in.ok()) job.grid = take_grid(in);
  const auto outputs = in.varint_up_to(max_outputs);
  for (std::uint64_t i = 0; i < outputs && in.ok(); ++i) job.outputs.push_back(take_output(in));
  if (!in.done()) return Errc::bad_message;
  return job;
}

Result<Reply> decode_reply(ByteSpan payload) {
  Decoder in(payload);
  Reply reply;
  const auto verdict = in.u8();
  if (verdict > last_verdict) in.fail();
  reply.verdict = static_cast<Verdict>(verdict);
  const auto images = in.varint_up_to(max_samples * max_outputs);
  for (std::uint64_t i = 0; i < images && in.ok(); ++i) {
    Image image;
    image.picture = static_cast<std::uint16_t>(in.varint_up_to(UINT16_MAX));
    image.output = static_cast<std::uint16_t>(in.varint_up_to(max_outputs - 1));
    image.width = static_cast<std::uint32_t>(in.varint_up_to(max_output_side));
    image.height = static_cast<std::uint32_t>(in.varint_up_to(max_output_side));
    const auto bytes = in.sized(max_reply_bytes);
    image.bytes.assign(bytes.begin(), bytes.end());
    reply.images.push_back(std::move(image));
  }
  if (!in.done()) return Errc::bad_message;
  return reply;
}

}  // namespace lookback::server::pictures
