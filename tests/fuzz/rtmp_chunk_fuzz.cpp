// What comes behind an RTMP handshake, as chunks: the messages must not depend on how the bytes are cut, and
// memory must stay within its bound.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "server/ingest/rtmp/chunk_reader.hpp"

using namespace lookback;
using namespace lookback::server::rtmp;

namespace {

struct Outcome {
  std::vector<Message> messages;
  bool failed = false;
};

Outcome read(ByteSpan bytes, std::size_t step) {
  const Options options;
  ChunkReader reader(options);
  Outcome outcome;
  while (!bytes.empty()) {
    auto input = bytes.first(std::min(step, bytes.size()));
    bytes = bytes.subspan(input.size());
    while (!input.empty()) {
      auto next = reader.next(input);
      if (reader.partial_bytes() > options.max_partial_bytes) std::abort();
      if (!next) return {std::move(outcome.messages), true};
      if (*next) outcome.messages.push_back(std::move(**next));
    }
  }
  return outcome;
}

bool same(const Message& a, const Message& b) {
  return a.type == b.type && a.stream_id == b.stream_id && a.timestamp_ms == b.timestamp_ms &&
         std::ranges::equal(a.payload.bytes, b.payload.bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto whole = read(bytes, size), cut = read(bytes, 1);
  if (whole.failed != cut.failed || !std::ranges::equal(whole.messages, cut.messages, same)) std::abort();
  return 0;
}
