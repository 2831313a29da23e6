#pragma once
#include <zlib.h>

#include <stdexcept>
#include <string>

#include "store/base/bytes.hpp"

namespace lookback::test {

/// Exactly one gzip member, checked to its last byte: zlib verifies CRC and length.
inline std::string gunzip(const Chain& chain) {
  const auto bytes = flatten(chain);
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::runtime_error("inflateInit2");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  int status = Z_OK;
  while (status == Z_OK) {
    char buffer[16384];
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(buffer, sizeof buffer - stream.avail_out);
  }
  const auto left = stream.avail_in;
  inflateEnd(&stream);
  if (status != Z_STREAM_END || left != 0) throw std::runtime_error("not one whole gzip member");
  return text;
}

}  // namespace lookback::test
