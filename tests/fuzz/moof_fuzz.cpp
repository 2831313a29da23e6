#include <cstdlib>

#include "packager/mp4/moof_reader.hpp"
#include "packager/mp4/movie_init.hpp"

// Stored parts and init sections are bytes from a disk: the readers neither crash nor read past the end, and
// what they accept keeps the bounds that a movie is built on. The first byte chooses the reader.

using namespace lookback;
using namespace lookback::packager;

namespace {

void check_part(ByteSpan bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  SampleTable table;
  if (!read_part(bytes, size, 100, table)) return;
  std::uint64_t payload = 0, samples = 0;
  Ticks end = table.start;
  for (const auto& sample : table.samples) {
    payload += sample.size_bytes;
    end += sample.duration;
    if (sample.duration == 0) std::abort();
  }
  for (const auto& chunk : table.chunks) samples += chunk.samples;
  const auto head = part_head_bytes(bytes, size);
  const bool whole = head && table.chunks.size() == 1 && table.chunks[0].offset == 100 + *head &&
                     *head + payload == size && samples == table.samples.size() && end == table.end;
  if (!whole) std::abort();
  // The same part cannot follow itself: its samples take time.
  if (read_part(bytes, size, 100 + size, table)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] % 2 == 0) {
    check_part(bytes);
  } else if (const auto init = read_movie_init(bytes);
             init && (init->timescale == 0 || init->samples.empty())) {
    std::abort();
  }
  return 0;
}
