// A stream id, and behind its first newline the stream of the port. What is accepted names a stream.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/ingest/srt/stream_id.hpp"

using namespace lookback::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = input.find('\n');
  const auto fixed = end == std::string_view::npos ? std::string_view{} : input.substr(end + 1);
  const auto request = srt::parse_stream_id(input.substr(0, end), fixed);
  if (request && request->stream.size() + request->key.size() > size + 8) std::abort();
  return 0;
}
