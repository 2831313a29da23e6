#include "packager/mp4/fragment.hpp"

#include <bit>
#include <cassert>
#include <cstddef>
#include <limits>
#include <string_view>

namespace lookback::packager {
namespace {

// Sample flags (ISO/IEC 14496-12 8.8.3.1): sample_depends_on in bits 24-25, sample_is_non_sync_sample in
// bit 16.
constexpr std::uint32_t sync_flags = 0x0200'0000, non_sync_flags = 0x0101'0000;

// tf_flags (8.8.7.1)
constexpr std::uint32_t default_duration = 0x8, default_size = 0x10, default_flags = 0x20;
constexpr std::uint32_t default_base_is_moof = 0x02'0000;

// tr_flags (8.8.8.1)
constexpr std::uint32_t data_offset = 0x1, first_sample_flags = 0x4;
constexpr std::uint32_t each_duration = 0x100, each_size = 0x200, each_flags = 0x400,
                        each_composition = 0x800;

constexpr std::uint32_t track_id = 1;
constexpr std::uint32_t box_header = 8, full_box_header = 12;
constexpr std::uint32_t mfhd_bytes = full_box_header + 4, tfdt_bytes = full_box_header + 8;

std::uint32_t flags_of(const Sample& sample) { return sample.sync ? sync_flags : non_sync_flags; }

/// What all samples share goes into tfhd, the rest into trun.
struct Layout {
  std::uint32_t tfhd_flags = default_base_is_moof;
  std::uint32_t trun_flags = data_offset;
  std::uint32_t sample_flags = 0;  ///< tfhd's default
  std::uint32_t tfhd_bytes = 0, trun_bytes = 0;
  std::uint64_t payload_bytes = 0;

  bool each(std::uint32_t field) const { return (trun_flags & field) != 0; }
  std::uint32_t traf_bytes() const { return box_header + tfhd_bytes + tfdt_bytes + trun_bytes; }
  std::uint32_t moof_bytes() const { return box_header + mfhd_bytes + traf_bytes(); }
};

std::uint32_t fields(std::uint32_t flags) { return 4 * static_cast<std::uint32_t>(std::popcount(flags)); }

Layout plan(std::span<const Sample> samples) {
  const auto& first = samples.front();
  const auto& second = samples[samples.size() > 1 ? 1 : 0];
  bool durations = true, sizes = true, later_flags = true, compositions = false;
  Layout layout;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& sample = samples[i];
    durations &= sample.duration == first.duration;
    sizes &= sample.payload.size() == first.payload.size();
    later_flags &= i == 0 || sample.sync == second.sync;
    compositions |= sample.composition != 0;
    layout.payload_bytes += sample.payload.size();
  }
  (durations ? layout.tfhd_flags : layout.trun_flags) |= durations ? default_duration : each_duration;
  (sizes ? layout.tfhd_flags : layout.trun_flags) |= sizes ? default_size : each_size;
  if (later_flags) {
    layout.tfhd_flags |= default_flags;
    layout.sample_flags = flags_of(second);
    if (first.sync != second.sync) layout.trun_flags |= first_sample_flags;
  } else {
    layout.trun_flags |= each_flags;
  }
  if (compositions) layout.trun_flags |= each_composition;

  layout.tfhd_bytes = full_box_header + 4 + fields(layout.tfhd_flags & ~default_base_is_moof);
  const auto per_sample = fields(layout.trun_flags & 0xF00);
  layout.trun_bytes = full_box_header + 4 + fields(layout.trun_flags & 0xFF) +
                      per_sample * static_cast<std::uint32_t>(samples.size());
  return layout;
}

/// Writes big-endian fields into a buffer that is large enough.
class Writer {
 public:
  explicit Writer(std::byte* out) : out_(out) {}
  void u32(std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) *out_++ = static_cast<std::byte>(value >> shift & 0xFF);
  }
  void u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32));
    u32(static_cast<std::uint32_t>(value));
  }
  void box(std::uint32_t size, std::string_view type) {
    u32(size);
    for (const char c : type) *out_++ = static_cast<std::byte>(c);
  }
  void full_box(std::uint32_t size, std::string_view type, std::uint32_t version, std::uint32_t flags) {
    box(size, type);
    u32(version << 24 | flags);
  }
  const std::byte* position() const { return out_; }

 private:
  std::byte* out_;
};

void write_tfhd(Writer& out, const Layout& layout, const Sample& first) {
  out.full_box(layout.tfhd_bytes, "tfhd", 0, layout.tfhd_flags);
  out.u32(track_id);
  if (layout.tfhd_flags & default_duration) out.u32(static_cast<std::uint32_t>(first.duration));
  if (layout.tfhd_flags & default_size) out.u32(static_cast<std::uint32_t>(first.payload.size()));
  if (layout.tfhd_flags & default_flags) out.u32(layout.sample_flags);
}

void write_trun(Writer& out, const Layout& layout, std::span<const Sample> samples) {
  out.full_box(layout.trun_bytes, "trun", 1, layout.trun_flags);
  out.u32(static_cast<std::uint32_t>(samples.size()));
  out.u32(layout.moof_bytes() + box_header);  // data_offset: behind mdat's header
  if (layout.each(first_sample_flags)) out.u32(flags_of(samples.front()));
  for (const auto& sample : samples) {
    if (layout.each(each_duration)) out.u32(static_cast<std::uint32_t>(sample.duration));
    if (layout.each(each_size)) out.u32(static_cast<std::uint32_t>(sample.payload.size()));
    if (layout.each(each_flags)) out.u32(flags_of(sample));
    if (layout.each(each_composition)) out.u32(static_cast<std::uint32_t>(sample.composition));
  }
}

std::vector<std::byte> make_header(std::uint32_t sequence, const Layout& layout,
                                   std::span<const Sample> samples) {
  std::vector<std::byte> bytes(layout.moof_bytes() + box_header);
  Writer out(bytes.data());
  out.box(layout.moof_bytes(), "moof");
  out.full_box(mfhd_bytes, "mfhd", 0, 0);
  out.u32(sequence);
  out.box(layout.traf_bytes(), "traf");
  write_tfhd(out, layout, samples.front());
  out.full_box(tfdt_bytes, "tfdt", 1, 0);
  out.u64(static_cast<std::uint64_t>(samples.front().dts));
  write_trun(out, layout, samples);
  out.box(static_cast<std::uint32_t>(box_header + layout.payload_bytes), "mdat");
  assert(out.position() == bytes.data() + bytes.size());
  return bytes;
}

}  // namespace

Chain make_fragment(std::uint32_t sequence, std::span<const Sample> samples) {
  assert(!samples.empty() && samples.front().dts >= 0);
  const auto layout = plan(samples);
  assert(layout.payload_bytes <= std::numeric_limits<std::uint32_t>::max() - box_header);

  Chain chain;
  chain.reserve(1 + samples.size());
  chain.push_back(make_slice(make_header(sequence, layout, samples)));
  for (const auto& sample : samples) chain.push_back(sample.payload);
  return chain;
}

}  // namespace lookback::packager
