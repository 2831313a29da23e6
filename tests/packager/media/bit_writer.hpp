#pragma once
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "store/base/bytes.hpp"

namespace lookback::test {

/// Writes bits, most significant first, for records that no encoder at hand makes.
class BitWriter {
 public:
  BitWriter& u(unsigned count, std::uint64_t value) {
    for (unsigned i = count; i-- > 0;) bits_.push_back((value >> i & 1) != 0);
    return *this;
  }
  /// ue(v) of ITU-T H.264 9.1.
  BitWriter& ue(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value + 1));
    return u(width - 1, 0).u(width, value + 1);
  }
  /// se(v) of ITU-T H.264 9.1.1.
  BitWriter& se(std::int64_t value) {
    return ue(value > 0 ? static_cast<std::uint64_t>(value) * 2 - 1 : static_cast<std::uint64_t>(-value) * 2);
  }
  BitWriter& align() {
    while (bits_.size() % 8 != 0) bits_.push_back(false);
    return *this;
  }
  std::vector<std::byte> bytes() const {
    std::vector<std::byte> out((bits_.size() + 7) / 8);
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      if (bits_[i]) out[i / 8] |= std::byte{0x80} >> (i % 8);
    }
    return out;
  }

 private:
  std::vector<bool> bits_;
};

/// The RBSP as a NAL unit: stop bit, NAL header, emulation prevention (ITU-T H.264 7.3.1).
inline std::vector<std::byte> as_nal_unit(std::uint8_t header, BitWriter rbsp) {
  std::vector<std::byte> nal{std::byte{header}};
  int zeros = 0;
  for (const auto byte : rbsp.u(1, 1).bytes()) {
    if (zeros >= 2 && byte <= std::byte{3}) {
      nal.push_back(std::byte{3});
      zeros = 0;
    }
    zeros = byte == std::byte{0} ? zeros + 1 : 0;
    nal.push_back(byte);
  }
  return nal;
}

/// An AVCDecoderConfigurationRecord around parameter sets (ISO/IEC 14496-15 5.3.3.1).
inline std::vector<std::byte> avc_record(const std::vector<std::vector<std::byte>>& sps,
                                         const std::vector<std::vector<std::byte>>& pps,
                                         unsigned length_size = 4) {
  std::vector<std::byte> out{std::byte{1},
                             std::byte{0x42},
                             std::byte{0xc0},
                             std::byte{0x1e},
                             std::byte(0xfc | (length_size - 1)),
                             std::byte(0xe0 | sps.size())};
  const auto add = [&out](const std::vector<std::byte>& nal) {
    out.push_back(std::byte(nal.size() >> 8));
    out.push_back(std::byte(nal.size() & 0xff));
    out.insert(out.end(), nal.begin(), nal.end());
  };
  for (const auto& nal : sps) add(nal);
  out.push_back(std::byte(pps.size()));
  for (const auto& nal : pps) add(nal);
  return out;
}

/// A record written as text.
inline std::vector<std::byte> bytes(const std::string& text) {
  const auto span = as_bytes(text);
  return {span.begin(), span.end()};
}

inline void append(std::vector<std::byte>& out, const std::vector<std::byte>& more) {
  out.insert(out.end(), more.begin(), more.end());
}

}  // namespace lookback::test
