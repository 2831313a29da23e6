#include "store/extent_format.hpp"

#include <algorithm>

#include "store/base/crc32c.hpp"
#include "store/base/errc.hpp"
#include "store/codec.hpp"
#include "store/wire.hpp"

namespace lookback::store {
namespace {

constexpr std::string_view extent_magic = "LBEXTENT";
constexpr std::string_view block_magic = "LBBLOCK\n";
constexpr std::uint32_t extent_version = 1;
constexpr std::size_t crc_bytes = 4;
constexpr std::size_t max_payload_bytes = 2 * max_init_bytes + 64;

void append_crc(std::string& out) { out += Encoder().u32(crc32c(as_bytes(out))).take(); }

bool crc_fits(ByteSpan bytes) {
  const auto body = bytes.first(bytes.size() - crc_bytes);
  return Decoder(bytes.last(crc_bytes)).u32() == crc32c(body);
}

}  // namespace

std::string encode(const ExtentHeader& header) {
  auto out = Encoder()
                 .raw(extent_magic)
                 .u32(extent_version)
                 .u32(header.timescale)
                 .u64(header.id)
                 .u64(header.stream)
                 .u8(header.track)
                 .raw(as_text(header.nonce))
                 .take();
  out.resize(extent_header_bytes - crc_bytes, '\0');
  append_crc(out);
  return out;
}

Result<ExtentHeader> decode_extent_header(ByteSpan bytes) {
  if (bytes.size() < extent_header_bytes) return Errc::damaged;
  bytes = bytes.first(extent_header_bytes);
  Decoder in(bytes);
  if (as_text(in.raw(extent_magic.size())) != extent_magic) return Errc::damaged;
  if (in.u32() > extent_version) return Errc::newer_format;
  if (!crc_fits(bytes)) return Errc::damaged;
  ExtentHeader header;
  header.timescale = in.u32();
  header.id = in.u64();
  header.stream = in.u64();
  header.track = in.u8();
  std::ranges::copy(in.raw(header.nonce.size()), header.nonce.begin());
  return header;
}

std::string encode_block(const ExtentHeader::Nonce& nonce, BlockType type, std::string_view payload) {
  auto out = Encoder()
                 .raw(block_magic)
                 .raw(as_text(nonce))
                 .u8(static_cast<std::uint8_t>(type))
                 .u32(static_cast<std::uint32_t>(payload.size()))
                 .raw(payload)
                 .take();
  append_crc(out);
  return out;
}

Result<std::size_t> block_size(const ExtentHeader::Nonce& nonce, ByteSpan head) {
  Decoder in(head);
  const auto magic = in.raw(block_magic.size());
  const auto owner = in.raw(nonce.size());
  const auto type = in.u8();
  const auto size = in.u32();
  if (!in.ok() || as_text(magic) != block_magic || !std::ranges::equal(owner, nonce)) return Errc::damaged;
  if (type < 1 || type > 7 || size > max_payload_bytes) return Errc::damaged;
  return block_head_bytes + size + crc_bytes;
}

Result<Block> decode_block(const ExtentHeader::Nonce& nonce, ByteSpan bytes) {
  const auto size = block_size(nonce, bytes);
  if (!size) return size.error();
  if (*size > bytes.size() || !crc_fits(bytes.first(*size))) return Errc::damaged;
  return Block{.type = static_cast<BlockType>(bytes[block_magic.size() + nonce.size()]),
               .payload = bytes.subspan(block_head_bytes, *size - block_head_bytes - crc_bytes),
               .size_bytes = *size};
}

std::string encode(const SegmentFooter& footer) {
  return Encoder()
      .varint(footer.stream)
      .u8(footer.track)
      .varint(footer.timescale)
      .raw(encode(footer.segment))
      .take();
}

Result<SegmentFooter> decode_footer(ByteSpan payload) {
  Decoder in(payload);
  SegmentFooter footer;
  footer.stream = in.varint();
  footer.track = in.u8();
  footer.timescale = in.varint32();
  if (!in.ok()) return Errc::damaged;
  auto segment = decode_segment(in.left());
  if (!segment) return segment.error();
  footer.segment = std::move(*segment);
  return footer;
}

std::string footer_block(const ExtentHeader& header, const SegmentRecord& segment) {
  const SegmentFooter footer{header.stream, header.track, header.timescale, segment};
  return encode_block(header.nonce, BlockType::segment, encode(footer));
}

}  // namespace lookback::store
