#include "packager/hls/gzip.hpp"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>

namespace lookback::packager::hls {
namespace {

const std::uint8_t* octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// ISA-L's state and its buffer for level 1 (a day's playlist to 1/13; level 2 gains nothing here): 300 KiB,
/// of which each thread that compresses keeps one.
class Deflater {
 public:
  std::vector<std::byte> run(std::string_view text, bool last) {
    isal_deflate_init(&stream_);
    stream_.level = 1;
    stream_.level_buf = level_buffer_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
    stream_.end_of_stream = last;
    stream_.flush = last ? NO_FLUSH : FULL_FLUSH;
    stream_.next_in = const_cast<std::uint8_t*>(octets(text));  // an input only; the API is not const
    stream_.avail_in = static_cast<std::uint32_t>(text.size());
    std::vector<std::byte> out;
    do {
      write_piece();
      out.insert(out.end(), room_.begin(), room_.end() - stream_.avail_out);
    } while (stream_.avail_out == 0);  // all is out when there is room left
    return out;
  }

 private:
  void write_piece() {
    stream_.next_out = reinterpret_cast<std::uint8_t*>(room_.data());
    stream_.avail_out = static_cast<std::uint32_t>(room_.size());
    // The remaining errors are wrong settings, which are all constants.
    if (const int code = isal_deflate(&stream_); code != COMP_OK)
      throw std::logic_error("isal_deflate: " + std::to_string(code));
  }

  isal_zstream stream_{};
  std::array<std::uint8_t, ISAL_DEF_LVL1_DEFAULT> level_buffer_{};
  std::array<std::byte, 4096> room_{};
};

Deflater& deflater_of_this_thread() {
  thread_local const auto deflater = std::make_unique<Deflater>();
  return *deflater;
}

void append_le32(std::vector<std::byte>& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::byte>(value >> shift));
}

/// Magic, deflate, no flags, no time, no extra flags, unknown system (RFC 1952 2.3.1).
const Slice& gzip_header() {
  constexpr std::array<unsigned char, 10> bytes{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
  static const Slice header = [&] {
    std::vector<std::byte> copy;
    for (const auto byte : bytes) copy.push_back(static_cast<std::byte>(byte));
    return make_slice(std::move(copy));
  }();
  return header;
}

}  // namespace

DeflatePiece deflate_piece(std::string_view text, bool last) {
  DeflatePiece piece;
  piece.crc32 = crc32_gzip_refl(0, octets(text), text.size());
  piece.text_size_bytes = text.size();
  piece.bytes = make_slice(deflater_of_this_thread().run(text, last));
  return piece;
}

Chain gzip_member(std::span<const DeflatePiece> pieces) {
  Chain out;
  out.reserve(pieces.size() + 2);
  out.push_back(gzip_header());
  auto crc = static_cast<uLong>(0);
  std::uint64_t size = 0;
  for (const auto& piece : pieces) {
    crc = crc32_combine64(crc, piece.crc32, static_cast<z_off64_t>(piece.text_size_bytes));
    size += piece.text_size_bytes;
    out.push_back(piece.bytes);
  }
  std::vector<std::byte> trailer;
  append_le32(trailer, static_cast<std::uint32_t>(crc));
  append_le32(trailer, static_cast<std::uint32_t>(size));  // modulo 2^32
  out.push_back(make_slice(std::move(trailer)));
  return out;
}

Chain gzip(std::string_view text) {
  const DeflatePiece piece = deflate_piece(text, true);
  return gzip_member(std::span(&piece, 1));
}

}  // namespace lookback::packager::hls
