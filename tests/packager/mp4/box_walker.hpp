#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/bytes.hpp"

/// A second reading of ISO/IEC 14496-12, for tests: shares nothing with the writer, throws on what is not so.
namespace lookback::test {

inline void must(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

/// Reads big-endian fields from the front.
class Fields {
 public:
  explicit Fields(ByteSpan bytes) : bytes_(bytes) {}
  std::uint64_t read(std::size_t count) {
    must(count <= bytes_.size(), "a field lies outside of its box");
    std::uint64_t value = 0;
    for (const auto byte : bytes_.first(count)) value = value * 256 + std::to_integer<std::uint64_t>(byte);
    bytes_ = bytes_.subspan(count);
    return value;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(read(4)); }
  std::size_t left() const { return bytes_.size(); }
  ByteSpan rest() const { return bytes_; }

 private:
  ByteSpan bytes_;
};

struct Box {
  std::string type;
  std::size_t offset = 0;  ///< of the box in the bytes that were walked
  ByteSpan body;           ///< behind size and type
};

/// The boxes that follow each other in `bytes`, which they fill exactly.
inline std::vector<Box> boxes(ByteSpan bytes) {
  std::vector<Box> found;
  for (std::size_t at = 0; at < bytes.size();) {
    must(bytes.size() - at >= 8, "bytes behind the last box");
    const auto size = Fields(bytes.subspan(at, 4)).u32();
    must(size >= 8 && size <= bytes.size() - at, "a box is longer than what holds it");
    found.push_back({std::string(as_text(bytes.subspan(at + 4, 4))), at, bytes.subspan(at + 8, size - 8)});
    at += size;
  }
  return found;
}

/// Every box at a path such as "moov/trak/mdia".
inline std::vector<Box> find_all(ByteSpan bytes, std::string_view path) {
  const auto slash = path.find('/');
  std::vector<Box> found;
  for (const auto& box : boxes(bytes)) {
    if (box.type != path.substr(0, slash)) continue;
    if (slash == std::string_view::npos) {
      found.push_back(box);
    } else {
      for (auto& inner : find_all(box.body, path.substr(slash + 1))) found.push_back(std::move(inner));
    }
  }
  return found;
}

/// The only box at a path.
inline Box find_one(ByteSpan bytes, std::string_view path) {
  auto found = find_all(bytes, path);
  must(found.size() == 1, std::string(path) + " is there " + std::to_string(found.size()) + " times");
  return std::move(found.front());
}

struct WalkedSample {
  std::uint64_t dts = 0;
  std::uint32_t duration = 0, flags = 0;
  std::int32_t composition = 0;
  ByteSpan payload;
};

struct WalkedFragment {
  std::uint32_t sequence = 0, track = 0;
  std::size_t header_bytes = 0;  ///< moof and mdat's header
  std::vector<WalkedSample> samples;
  std::uint64_t end_dts = 0;
};

/// Reads one `moof` + `mdat` as CMAF wants it (ISO/IEC 23000-19 7.3.2.3), with no help from `trex`.
inline WalkedFragment walk_fragment(ByteSpan bytes) {
  const auto top = boxes(bytes);
  must(top.size() == 2 && top[0].type == "moof" && top[1].type == "mdat", "not a moof and an mdat");
  const auto moof = top[0].body;
  const auto inside = boxes(moof);
  must(inside.size() == 2 && inside[0].type == "mfhd" && inside[1].type == "traf", "moof is not mfhd, traf");
  const auto traf = boxes(inside[1].body);
  must(traf.size() == 3 && traf[0].type == "tfhd" && traf[1].type == "tfdt" && traf[2].type == "trun",
       "traf is not tfhd, tfdt, trun");

  WalkedFragment fragment;
  fragment.header_bytes = top[1].offset + 8;
  Fields mfhd(inside[0].body);
  must(mfhd.u32() == 0, "mfhd's version or flags");
  fragment.sequence = mfhd.u32();
  must(mfhd.left() == 0, "mfhd's size");

  Fields tfhd(traf[0].body);
  const auto tf_flags = tfhd.u32();
  must((tf_flags & 0x020000) != 0, "default-base-is-moof is missing");
  must((tf_flags & ~0x020038U) == 0, "tfhd says more than was asked for");
  fragment.track = tfhd.u32();
  const auto default_duration = (tf_flags & 0x08) != 0 ? tfhd.u32() : 0;
  const auto default_size = (tf_flags & 0x10) != 0 ? tfhd.u32() : 0;
  const auto default_flags = (tf_flags & 0x20) != 0 ? tfhd.u32() : 0;
  must(tfhd.left() == 0, "tfhd's size");

  Fields tfdt(traf[1].body);
  must(tfdt.u32() == 0x01000000, "tfdt is not version 1");
  auto dts = tfdt.read(8);
  must(tfdt.left() == 0, "tfdt's size");

  Fields trun(traf[2].body);
  const auto head = trun.u32();
  must(head >> 24 == 1, "trun is not version 1");
  const auto tr_flags = head & 0xFFFFFF;
  must((tr_flags & 1) != 0 && (tr_flags & ~0xF05U) == 0, "trun's flags");
  must((tr_flags & 0x4) == 0 || (tr_flags & 0x400) == 0, "first-sample-flags beside sample-flags");
  const auto count = trun.u32();
  const auto data_offset = trun.u32();
  must(data_offset == fragment.header_bytes, "data_offset is not where mdat's payload starts");
  const bool has_first = (tr_flags & 0x4) != 0;
  const auto first_flags = has_first ? trun.u32() : 0;
  std::size_t at = data_offset;
  for (std::uint32_t i = 0; i < count; ++i) {
    WalkedSample sample;
    must((tr_flags & 0x100) != 0 || (tf_flags & 0x08) != 0, "no duration");
    must((tr_flags & 0x200) != 0 || (tf_flags & 0x10) != 0, "no size");
    must((tr_flags & 0x400) != 0 || (tf_flags & 0x20) != 0, "no flags");
    sample.dts = dts;
    sample.duration = (tr_flags & 0x100) != 0 ? trun.u32() : default_duration;
    const auto size = (tr_flags & 0x200) != 0 ? trun.u32() : default_size;
    sample.flags = (tr_flags & 0x400) != 0 ? trun.u32() : has_first && i == 0 ? first_flags : default_flags;
    sample.composition = (tr_flags & 0x800) != 0 ? static_cast<std::int32_t>(trun.u32()) : 0;
    must(size <= bytes.size() - at, "a sample lies outside of mdat");
    sample.payload = bytes.subspan(at, size);
    at += size;
    dts += sample.duration;
    fragment.samples.push_back(sample);
  }
  must(trun.left() == 0, "trun's size");
  must(at == bytes.size(), "mdat holds more than its samples");
  fragment.end_dts = dts;
  return fragment;
}

}  // namespace lookback::test
