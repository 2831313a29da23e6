#include "packager/media/ac3.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "packager/media/audio_format.hpp"
#include "packager/media/bit_reader.hpp"

namespace lookback::packager {
namespace {

constexpr std::uint32_t sync_word = 0x0B77;
constexpr std::uint32_t samples_per_frame = 1'536;
constexpr std::array<std::uint32_t, 3> sample_rates{48'000, 44'100, 32'000};    // fscod
constexpr std::array<std::uint32_t, 8> channel_counts{2, 1, 2, 3, 3, 4, 4, 5};  // acmod
constexpr std::array<std::uint32_t, 19> bit_rates{32,  40,  48,  56,  64,  80,  96,  112, 128, 160,
                                                  192, 224, 256, 320, 384, 448, 512, 576, 640};  // kbit/s
constexpr std::uint32_t reserved_rate = 3, stereo = 2, dual_mono = 0;
constexpr std::uint32_t last_ac3_bsid = 8, first_eac3_bsid = 11, last_eac3_bsid = 16;

/// Bytes of an AC-3 syncframe (table 4.13): 1536 samples at the bit rate, whole words, 44.1 kHz with an odd
/// one.
std::size_t syncframe_bytes(std::uint32_t rate_code, std::uint32_t size_code) {
  const auto rate = bit_rates[size_code / 2];
  if (rate_code == 1) return 2 * (std::size_t{rate} * 320 / 147 + size_code % 2);
  return std::size_t{rate} * samples_per_frame * 1'000 / 8 / sample_rates[rate_code];
}

/// A dac3 or one substream of a dec3, most significant bit first.
class Bits {
 public:
  Bits& u(unsigned count, std::uint32_t value) {
    for (unsigned i = count; i-- > 0;) {
      if (used_ % 8 == 0) bytes_.push_back(std::byte{0});
      if ((value >> i & 1) != 0) bytes_.back() |= std::byte{0x80} >> (used_ % 8);
      ++used_;
    }
    return *this;
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
  unsigned used_ = 0;
};

/// The front of an E-AC-3 syncframe (E.1.2.1, E.1.2.2).
struct Substream {
  bool dependent = false;
  std::uint32_t number = 0;
  std::size_t size_bytes = 0;
  std::uint32_t rate_code = 0, blocks = 6, mode = 0, bsid = 0;
  bool lfe = false;
  std::uint32_t channel_map = 0;  ///< of a dependent one; bit 15 is the left channel
};

std::optional<Substream> read_substream(ByteSpan bytes) {
  constexpr std::array<std::uint32_t, 4> block_counts{1, 2, 3, 6};
  constexpr std::uint32_t dependent_type = 1, last_type = 2;
  BitReader in(bytes);
  if (in.bits(16) != sync_word) return std::nullopt;
  Substream frame;
  const auto type = in.bits(2);
  frame.dependent = type == dependent_type;
  frame.number = in.bits(3);
  frame.size_bytes = (std::size_t{in.bits(11)} + 1) * 2;
  frame.rate_code = in.bits(2);
  const auto code = in.bits(2);  // numblkscod, or fscod2 of the halved rates
  if (frame.rate_code != reserved_rate) frame.blocks = block_counts[code];
  frame.mode = in.bits(3);
  frame.lfe = in.flag();
  frame.bsid = in.bits(5);
  for (int programme = 0; programme < (frame.mode == dual_mono ? 2 : 1); ++programme) {
    in.bits(5);                 // dialnorm
    if (in.flag()) in.bits(8);  // compr
  }
  if (frame.dependent && in.flag()) frame.channel_map = in.bits(16);
  const bool known = type <= last_type && frame.rate_code != reserved_rate && frame.bsid >= first_eac3_bsid &&
                     frame.bsid <= last_eac3_bsid;
  if (!in.ok() || !known) return std::nullopt;
  return frame;
}

/// Table E.1.5 (bits from the left: 5 Lc/Rc, 6 Lrs/Rrs, 7 Cs, 8 Ts, 9 Lsd/Rsd, 10 Lw/Rw, 11 Lvh/Rvh, 12 Cvh,
/// 14 LFE2) as chan_loc of F.6.2.13, which counts them from 0 in this order.
std::uint32_t channel_locations(std::uint32_t map) {
  const auto bit = [&](unsigned from_left) { return map >> (15 - from_left) & 1; };
  std::uint32_t locations = 0;
  for (unsigned i = 0; i < 8; ++i) locations |= bit(5 + i) << i;
  return locations | bit(14) << 8;
}

std::uint32_t channels_at(std::uint32_t locations) {
  constexpr std::uint32_t pairs = 0b0'0111'0011;  // Lc/Rc, Lrs/Rrs, Lsd/Rsd, Lw/Rw, Lvh/Rvh
  return static_cast<std::uint32_t>(std::popcount(locations) + std::popcount(locations & pairs));
}

}  // namespace

std::size_t ac3_frame_bytes(ByteSpan header) {
  BitReader in(header);
  const auto sync = in.bits(16);
  in.bits(16);  // crc1
  const auto rate_code = in.bits(2), size_code = in.bits(6), bsid = in.bits(5);
  const bool known = in.ok() && sync == sync_word && rate_code != reserved_rate &&
                     size_code / 2 < bit_rates.size() && bsid <= last_ac3_bsid;
  return known ? syncframe_bytes(rate_code, size_code) : 0;
}

Eac3Syncframe eac3_syncframe(ByteSpan header) {
  constexpr std::uint32_t reserved_type = 3, dependent_type = 1;
  BitReader in(header);
  const auto sync = in.bits(16), type = in.bits(2), number = in.bits(3), words = in.bits(11) + 1;
  in.bits(2 + 2 + 3 + 1);  // fscod, numblkscod, acmod, lfeon
  const auto bsid = in.bits(5);
  const bool known = in.ok() && sync == sync_word && type != reserved_type && bsid >= first_eac3_bsid &&
                     bsid <= last_eac3_bsid;
  if (!known) return {};
  return {.bytes = std::size_t{words} * 2, .begins = type != dependent_type && number == 0};
}

Result<std::vector<std::byte>> ac3_config(ByteSpan frame) {
  BitReader in(frame);
  const auto sync = in.bits(16);
  in.bits(16);  // crc1
  const auto rate_code = in.bits(2), size_code = in.bits(6), bsid = in.bits(5), bsmod = in.bits(3);
  const auto mode = in.bits(3);
  if ((mode & 1) != 0 && mode != 1) in.bits(2);  // cmixlev
  if ((mode & 4) != 0) in.bits(2);               // surmixlev
  if (mode == stereo) in.bits(2);                // dsurmod
  const bool lfe = in.flag();
  if (!in.ok()) return Errc::truncated;
  const bool known = sync == sync_word && rate_code != reserved_rate && size_code / 2 < bit_rates.size() &&
                     bsid <= last_ac3_bsid;
  if (!known || syncframe_bytes(rate_code, size_code) != frame.size()) return Errc::bad_ac3_config;
  return Bits()
      .u(2, rate_code)
      .u(5, bsid)
      .u(3, bsmod)
      .u(3, mode)
      .u(1, lfe)
      .u(5, size_code / 2)
      .u(5, 0)
      .take();
}

Result<TrackFormat> parse_ac3_config(ByteSpan box) {
  constexpr std::size_t box_bytes = 3;
  if (box.size() < box_bytes) return Errc::truncated;
  BitReader in(box);
  const auto rate_code = in.bits(2), bsid = in.bits(5);
  in.bits(3);  // bsmod
  const auto mode = in.bits(3);
  const bool lfe = in.flag();
  const auto bit_rate = in.bits(5);
  if (box.size() != box_bytes || rate_code == reserved_rate || bsid > last_ac3_bsid ||
      bit_rate >= bit_rates.size()) {
    return Errc::bad_ac3_config;
  }
  auto format = audio_format(Codec::ac3, box, sample_rates[rate_code], channel_counts[mode] + (lfe ? 1 : 0),
                             samples_per_frame);
  format.codecs = "ac-3";
  return format;
}

Result<std::vector<std::byte>> eac3_config(ByteSpan access_unit) {
  std::optional<Substream> main;
  std::uint32_t dependents = 0, locations = 0;
  for (auto rest = access_unit; !rest.empty();) {
    const auto frame = read_substream(rest);
    if (!frame || (frame->dependent && !main)) return Errc::bad_ac3_config;
    if (frame->size_bytes > rest.size()) return Errc::truncated;
    if (frame->blocks != 6 || (!frame->dependent && main)) return Errc::unsupported_codec;
    rest = rest.subspan(frame->size_bytes);
    if (frame->dependent) {
      ++dependents;
      locations |= channel_locations(frame->channel_map);
    } else {
      main = frame;
    }
  }
  if (!main || dependents > 8) return Errc::bad_ac3_config;
  const auto rate = access_unit.size() * 8 * sample_rates[main->rate_code] / samples_per_frame / 1'000;
  Bits box;
  box.u(13, static_cast<std::uint32_t>(rate)).u(3, 0);                 // one independent substream
  box.u(2, main->rate_code).u(5, main->bsid).u(1, 0).u(1, 0).u(3, 0);  // asvc, bsmod: complete main
  box.u(3, main->mode).u(1, main->lfe).u(3, 0).u(4, dependents);
  dependents > 0 ? box.u(9, locations) : box.u(1, 0);
  return box.take();
}

Result<TrackFormat> parse_eac3_config(ByteSpan box) {
  BitReader in(box);
  in.bits(13);  // data_rate
  const auto independent = in.bits(3) + 1;
  const auto rate_code = in.bits(2), bsid = in.bits(5);
  in.bits(1 + 1 + 3);  // reserved, asvc, bsmod
  const auto mode = in.bits(3);
  const bool lfe = in.flag();
  in.bits(3);  // reserved
  const auto dependents = in.bits(4);
  const auto locations = dependents > 0 ? in.bits(9) : 0;
  if (dependents == 0) in.flag();  // reserved
  if (!in.ok()) return Errc::truncated;
  if (independent > 1) return Errc::unsupported_codec;
  if (rate_code == reserved_rate || bsid < first_eac3_bsid || bsid > last_eac3_bsid || in.left() >= 8) {
    return Errc::bad_ac3_config;
  }
  auto format =
      audio_format(Codec::eac3, box, sample_rates[rate_code],
                   channel_counts[mode] + (lfe ? 1 : 0) + channels_at(locations), samples_per_frame);
  format.codecs = "ec-3";
  return format;
}

bool same_but_rate(ByteSpan dec3, ByteSpan other) {
  constexpr std::size_t rate_bytes = 2;  // data_rate, and num_ind_sub, of which one is packaged
  if (dec3.size() != other.size() || dec3.size() < rate_bytes) return false;
  return as_text(dec3.subspan(rate_bytes)) == as_text(other.subspan(rate_bytes));
}

}  // namespace lookback::packager
