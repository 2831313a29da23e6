#include "server/ingest/ts/scte35.hpp"

#include <fmt/format.h>

#include "packager/media/bit_reader.hpp"
#include "server/ingest/ts/section.hpp"

namespace lookback::server::ts {
namespace {

using packager::BitReader;
using packager::Errc;

constexpr unsigned splice_table = 0xfc;
constexpr std::size_t crc_bytes = 4;
constexpr std::size_t max_splices = 16;
constexpr std::uint64_t clock_mask = (std::uint64_t{1} << 33) - 1;

enum Command : unsigned { null = 0x00, insert = 0x05, time_signal = 0x06, bandwidth_reservation = 0x07 };

std::uint64_t bits33(BitReader& in) {
  const std::uint64_t high = in.bits(1);
  return high << 32 | in.bits(32);
}

/// splice_time() (9.8.1); empty: no time is specified.
std::optional<std::uint64_t> splice_time(BitReader& in) {
  if (!in.flag()) {
    in.skip(7);
    return std::nullopt;
  }
  in.skip(6);
  return bits33(in);
}

std::optional<std::uint64_t> if_positive(std::uint64_t ticks) {
  return ticks > 0 ? std::optional(ticks) : std::nullopt;
}

/// splice_insert() (9.7.3)
Splice read_insert(BitReader& in) {
  Splice splice;
  splice.event = fmt::format("splice-{}", in.bits(32));
  const bool cancelled = in.flag();
  in.skip(7);
  if (cancelled) {
    splice.kind = Splice::Kind::cancel;
    return splice;
  }
  splice.kind = in.flag() ? Splice::Kind::out : Splice::Kind::in;
  const bool whole_program = in.flag(), has_duration = in.flag(), immediate = in.flag();
  in.skip(4);
  if (whole_program) {
    if (!immediate) splice.pts = splice_time(in);
  } else {  // the first component's time stands for all
    const auto components = in.bits(8);
    for (std::uint32_t i = 0; i < components && in.ok(); ++i) {
      in.skip(8);
      const auto time = immediate ? std::nullopt : splice_time(in);
      if (i == 0) splice.pts = time;
    }
  }
  if (has_duration) {
    in.skip(7);  // auto_return and reserved
    splice.duration = if_positive(bits33(in));
  }
  return splice;
}

/// The types of table 23 that take viewers out of the programme and back: the odd number ends what the even
/// one before it began.
bool is_break(unsigned type) {
  constexpr unsigned break_start = 0x22, first_advertisement = 0x30, last_promo = 0x3f;
  constexpr unsigned first_block = 0x44, last_block = 0x47;
  return type / 2 == break_start / 2 || (type >= first_advertisement && type <= last_promo) ||
         (type >= first_block && type <= last_block);
}

/// segmentation_descriptor() (10.3.3) behind its identifier; `pts` is that of the time_signal.
Splice read_segmentation(ByteSpan body, std::optional<std::uint64_t> pts) {
  BitReader in(body);
  Splice splice;
  splice.pts = pts;
  const auto event = in.bits(32);
  const bool cancelled = in.flag();
  in.skip(7);
  if (cancelled) {
    splice.kind = Splice::Kind::cancel;
    splice.event = fmt::format("segmentation-{}", event);
    return splice;
  }
  const bool whole_program = in.flag(), has_duration = in.flag();
  in.skip(6);  // delivery restrictions
  if (!whole_program) in.skip(std::size_t{in.bits(8)} * 48);
  if (has_duration) {
    const std::uint64_t high = in.bits(8);
    splice.duration = if_positive(high << 32 | in.bits(32));
  }
  in.skip(8);                            // segmentation_upid_type
  in.skip(std::size_t{in.bits(8)} * 8);  // and the upid
  const auto type = in.bits(8);
  if (!in.ok()) return Splice{.event = fmt::format("segmentation-{}", event), .pts = pts, .duration = {}};
  if (is_break(type)) {
    splice.event = fmt::format("segmentation-{}-{:x}", event, type & ~1u);
    splice.kind = type & 1 ? Splice::Kind::in : Splice::Kind::out;
  } else {
    splice.event = fmt::format("segmentation-{}-{:x}", event, type);
  }
  return splice;
}

std::vector<Splice> read_descriptors(ByteSpan loop, std::optional<std::uint64_t> pts) {
  constexpr unsigned segmentation_tag = 0x02;
  constexpr std::string_view identifier = "CUEI";
  std::vector<Splice> out;
  while (loop.size() >= 2 && out.size() < max_splices) {
    const auto tag = std::to_integer<unsigned>(loop[0]);
    const auto length = std::to_integer<std::size_t>(loop[1]);
    if (length > loop.size() - 2) break;
    const auto body = loop.subspan(2, length);
    if (tag == segmentation_tag && as_text(body).starts_with(identifier)) {
      out.push_back(read_segmentation(body.subspan(identifier.size()), pts));
    }
    loop = loop.subspan(2 + length);
  }
  return out;
}

/// One command, known by its own bytes: it may be sent again.
std::vector<Splice> whole_as_command(ByteSpan section, std::optional<std::uint64_t> pts) {
  Splice splice;
  splice.event = fmt::format("command-{:08x}", crc32_mpeg(section.first(section.size() - crc_bytes)));
  splice.pts = pts;
  return {splice};
}

/// The bytes behind the command: descriptor_loop_length and what it counts.
ByteSpan descriptor_loop(ByteSpan rest) {
  if (rest.size() < 2) return {};
  const auto length = std::to_integer<std::size_t>(rest[0]) << 8 | std::to_integer<std::size_t>(rest[1]);
  return rest.subspan(2, std::min(length, rest.size() - 2));
}

}  // namespace

Result<std::vector<Splice>> parse_splice_section(ByteSpan section) {
  if (section.size() < crc_bytes) return Errc::truncated;
  const auto body = section.first(section.size() - crc_bytes);
  BitReader in(body);
  if (in.bits(8) != splice_table) return std::vector<Splice>{};
  in.skip(4 + 12 + 8);  // flags, section_length, protocol_version
  const bool encrypted = in.flag();
  in.skip(6);
  const auto adjustment = bits33(in);
  in.skip(8 + 12);  // cw_index, tier
  const auto declared = in.bits(12);
  const auto command = in.bits(8);
  if (!in.ok()) return Errc::truncated;
  if (encrypted) return whole_as_command(section, {});

  const auto start = in.position() / 8;
  std::vector<Splice> splices;
  std::optional<std::uint64_t> pts;
  switch (command) {
    case null:
    case bandwidth_reservation:
      return splices;
    case insert:
      splices.push_back(read_insert(in));
      break;
    case time_signal: {
      pts = splice_time(in);
      constexpr std::uint32_t legacy = 0xfff;  // a length that is not told
      const auto end = declared == legacy ? in.position() / 8 : start + declared;
      if (!in.ok() || end > body.size()) return Errc::truncated;
      splices = read_descriptors(descriptor_loop(body.subspan(end)), pts);
      break;
    }
    default:
      break;
  }
  if (!in.ok()) return Errc::truncated;
  if (splices.empty()) splices = whole_as_command(section, pts);
  for (auto& splice : splices) {
    if (splice.pts) splice.pts = (*splice.pts + adjustment) & clock_mask;
  }
  return splices;
}

}  // namespace lookback::server::ts
