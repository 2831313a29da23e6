#include "packager/hls/gzip.hpp"

#define ZLIB_CONST
#include <zlib.h>

#include <array>
#include <new>

namespace lookback::packager::hls {
namespace {

constexpr int level = 3;         // a day's playlist to 1/12; 4 takes a third longer for 5 % less
constexpr int window_bits = 13;  // 8 KiB: the text of one block; negative asks zlib for raw deflate
constexpr int memory_level = 7;

/// Owns zlib's state. zlib can fail here only for want of memory: all else is ours.
class Deflater {
 public:
  Deflater() {
    if (deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  std::vector<std::byte> run(std::string_view text, int flush) {
    // deflateBound is the worst case of Z_FINISH; a flush adds at most one empty stored block and its
    // alignment.
    std::vector<std::byte> out(deflateBound(&stream_, text.size()) + 16);
    stream_.next_in = reinterpret_cast<const Bytef*>(text.data());
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    if (deflate(&stream_, flush) < Z_OK) throw std::bad_alloc();
    out.erase(out.end() - static_cast<std::ptrdiff_t>(stream_.avail_out), out.end());
    out.shrink_to_fit();
    return out;
  }

 private:
  z_stream stream_{};
};

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
  piece.crc32 = static_cast<std::uint32_t>(
      crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(text.data()), text.size()));
  piece.text_size_bytes = text.size();
  piece.bytes = make_slice(Deflater().run(text, last ? Z_FINISH : Z_FULL_FLUSH));
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
