#include "server/ingest/ts/sound_stream.hpp"

#include <algorithm>
#include <utility>

#include "packager/media/audio_packet.hpp"
#include "packager/media/ticks.hpp"
#include "server/ingest/ts/clock.hpp"

namespace lookback::server::ts {
namespace {

/// Damage may make any frame look like another kind; not so many one after the other.
constexpr unsigned refused_for_good = 8;

}  // namespace

void SoundStream::take(const TimedUnit& unit, std::vector<IngestEvent>& out) {
  const auto carried = rest_.size();  // bytes of a frame that began before this unit
  rest_.insert(rest_.end(), unit.payload.begin(), unit.payload.end());
  const ByteSpan bytes(rest_);
  std::size_t at = 0;
  bool used_timestamp = !unit.timed;
  while (bytes.size() - at >= header_bytes_) {
    const auto rest = bytes.subspan(at);
    const auto size = is_sync(rest) ? frame_bytes(rest) : std::size_t{0};
    if (size == 0 || !another_follows(rest, size)) {
      ++counts_.damaged_units;
      at = find_sync(bytes, at + 1);
      continue;
    }
    if (!used_timestamp && at >= carried) {
      timed_ = used_timestamp = true;
      base_pts_ = unit.pts;
      ticks_since_ = 0;
    }
    if (size > rest.size()) break;
    give(rest.first(size), out);
    at += size;
  }
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Whether a header stands behind a frame, as far as that is there already: else its length is damaged.
bool SoundStream::another_follows(ByteSpan bytes, std::size_t size) const {
  return bytes.size() < size + 2 || is_sync(bytes.subspan(size));
}

/// Where the next header may be; the end when there is none.
std::size_t SoundStream::find_sync(ByteSpan bytes, std::size_t from) const {
  for (; from + 1 < bytes.size(); ++from) {
    if (is_sync(bytes.subspan(from))) return from;
  }
  return bytes.size();
}

void SoundStream::give(ByteSpan bytes, std::vector<IngestEvent>& out) {
  if (!timed_) {
    ++counts_.early_units;
    return;
  }
  auto frame = unpack(bytes);
  const auto known = frame ? announce(frame->config, out) : Result<bool>(frame.error());
  if (!known) return pass_over(known.error());
  const auto ticks = *known ? packager::packet_ticks(*format_, frame->media) : 0;
  if (ticks == 0) return pass_over(packager::Errc::truncated);
  ++counts_.audio_frames;
  const auto offset = packager::rescale(ticks_since_, format_->timescale, clock_hz);
  ticks_since_ += ticks;
  out.emplace_back(packager::SourceSample{.kind = packager::MediaKind::audio,
                                          .dts_us = ticks_to_us(base_pts_ + offset),
                                          .sync = true,
                                          .payload = make_slice(std::move(frame->media)),
                                          .ticks = ticks});
}

/// Whether frames with this configuration can be given out.
Result<bool> SoundStream::announce(const std::vector<std::byte>& config, std::vector<IngestEvent>& out) {
  if (format_ && same(config, format_->config)) {
    candidate_.reset();
    return true;
  }
  if (format_ && (!candidate_ || !same(config, *candidate_))) {
    candidate_ = config;
    return false;
  }
  auto format = packager::parse_config(codec_, config);
  if (!format) return format.error();
  candidate_.reset();
  format_ = *format;
  out.emplace_back(FormatChange{std::move(*format)});
  return true;
}

/// The frames behind it keep their times.
void SoundStream::pass_over(boost::system::error_code error) {
  ++counts_.damaged_units;
  if (format_) {
    ticks_since_ += format_->samples_per_frame;
  } else if (error == packager::Errc::unsupported_codec) {
    ++refused_;
  }
}

bool SoundStream::same(ByteSpan config, ByteSpan other) const { return std::ranges::equal(config, other); }

std::string SoundStream::refusal() const {
  return refused_ >= refused_for_good ? unsupported() : std::string();
}

}  // namespace lookback::server::ts
