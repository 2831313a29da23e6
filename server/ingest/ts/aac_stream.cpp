#include "server/ingest/ts/aac_stream.hpp"

#include <algorithm>

#include "packager/media/ticks.hpp"
#include "packager/media/track_format.hpp"
#include "server/ingest/ts/clock.hpp"

namespace lookback::server::ts {
namespace {

constexpr std::size_t min_header_bytes = 7, crc_bytes = 2;
constexpr std::array<std::uint32_t, 13> sample_rates{96'000, 88'200, 64'000, 48'000, 44'100, 32'000, 24'000,
                                                     22'050, 16'000, 12'000, 11'025, 8'000,  7'350};

unsigned u8(ByteSpan bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

bool is_sync(ByteSpan bytes) { return u8(bytes, 0) == 0xff && (u8(bytes, 1) & 0xf6) == 0xf0; }

/// Whether a header stands behind a frame, as far as that is there already: else its length is damaged.
bool another_follows(ByteSpan bytes, std::size_t frame_bytes) {
  return bytes.size() < frame_bytes + 2 || is_sync(bytes.subspan(frame_bytes));
}

/// Where the next header may be; the end when there is none.
std::size_t find_sync(ByteSpan bytes, std::size_t from) {
  for (; from + 1 < bytes.size(); ++from) {
    if (is_sync(bytes.subspan(from))) return from;
  }
  return bytes.size();
}

}  // namespace

std::optional<AdtsHeader> parse_adts(ByteSpan bytes) {
  if (!is_sync(bytes)) return std::nullopt;
  AdtsHeader header;
  header.header_bytes = min_header_bytes + (u8(bytes, 1) & 1 ? 0 : crc_bytes);  // protection_absent
  const auto object_type = (u8(bytes, 2) >> 6) + 1;
  const auto rate_index = u8(bytes, 2) >> 2 & 0x0f;
  const auto channels = (u8(bytes, 2) & 1) << 2 | u8(bytes, 3) >> 6;
  header.frame_bytes = (u8(bytes, 3) & 3) << 11 | u8(bytes, 4) << 3 | u8(bytes, 5) >> 5;
  const auto more_blocks = u8(bytes, 6) & 3;
  if (rate_index >= sample_rates.size() || channels == 0 || more_blocks != 0) return std::nullopt;
  if (header.frame_bytes <= header.header_bytes) return std::nullopt;
  header.sample_rate = sample_rates[rate_index];
  header.config = {static_cast<std::byte>(object_type << 3 | rate_index >> 1),
                   static_cast<std::byte>((rate_index & 1) << 7 | channels << 3)};
  return header;
}

void AacStream::take(const TimedUnit& unit, std::vector<IngestEvent>& out) {
  const auto carried = rest_.size();  // bytes of a frame that began before this unit
  rest_.insert(rest_.end(), unit.payload.begin(), unit.payload.end());
  ByteSpan bytes(rest_);
  std::size_t at = 0;
  bool used_timestamp = !unit.timed;
  while (bytes.size() - at >= min_header_bytes) {
    const auto header = parse_adts(bytes.subspan(at));
    if (!header || !another_follows(bytes.subspan(at), header->frame_bytes)) {
      ++counts_.damaged_units;
      at = find_sync(bytes, at + 1);
      continue;
    }
    if (!used_timestamp && at >= carried) {
      timed_ = used_timestamp = true;
      base_pts_ = unit.pts;
      frames_since_ = 0;
    }
    if (header->frame_bytes > bytes.size() - at) break;
    give(*header, bytes.subspan(at, header->frame_bytes), out);
    at += header->frame_bytes;
  }
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(at));
}

void AacStream::give(const AdtsHeader& header, ByteSpan frame, std::vector<IngestEvent>& out) {
  if (!timed_) {
    ++counts_.early_units;
  } else if (!announce(header, out)) {
    ++counts_.damaged_units;
  } else {
    const auto offset = packager::rescale(frames_since_ * samples_per_frame_, header.sample_rate, clock_hz);
    const auto media = frame.subspan(header.header_bytes);
    ++counts_.audio_frames;
    out.emplace_back(
        packager::SourceSample{.kind = packager::MediaKind::audio,
                               .dts_us = ticks_to_us(base_pts_ + offset),
                               .sync = true,
                               .payload = make_slice(std::vector<std::byte>(media.begin(), media.end()))});
  }
  ++frames_since_;
}

/// Whether frames with this header can be given out.
bool AacStream::announce(const AdtsHeader& header, std::vector<IngestEvent>& out) {
  if (current_ == header.config) {
    candidate_.reset();
    return true;
  }
  if (current_ && candidate_ != header.config) {
    candidate_ = header.config;
    return false;
  }
  auto format = packager::parse_aac_config(header.config);
  if (!format) return false;
  samples_per_frame_ = format->samples_per_frame;
  current_ = header.config;
  candidate_.reset();
  out.emplace_back(FormatChange{std::move(*format)});
  return true;
}

}  // namespace lookback::server::ts
