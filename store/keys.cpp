#include "store/keys.hpp"

namespace lookback::store {
namespace {

template <class Integer>
void append_big_endian(std::string& key, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof(value)) - 1); shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(value >> shift));
  }
}

}  // namespace

std::string stream_key(StreamId stream) {
  std::string key;
  append_big_endian(key, stream);
  return key;
}

std::string track_key(StreamId stream, TrackId track) {
  auto key = stream_key(stream);
  append_big_endian(key, track);
  return key;
}

std::string init_key(StreamId stream, TrackId track, std::uint32_t id) {
  auto key = track_key(stream, track);
  append_big_endian(key, id);
  return key;
}

std::string segment_key(StreamId stream, TrackId track, std::uint64_t msn) {
  auto key = track_key(stream, track);
  append_big_endian(key, msn);
  return key;
}

std::string extent_key(const ExtentKey& extent) {
  return segment_key(extent.stream, extent.track, extent.id);
}

std::string after_prefix(std::string prefix) {
  while (!prefix.empty()) {
    auto& last = prefix.back();
    if (static_cast<unsigned char>(last) != 0xFF) {
      last = static_cast<char>(static_cast<unsigned char>(last) + 1);
      break;
    }
    prefix.pop_back();
  }
  return prefix;
}

}  // namespace lookback::store
