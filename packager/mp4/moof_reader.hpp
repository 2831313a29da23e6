#pragma once
#include <cstdint>

#include "packager/errc.hpp"
#include "packager/mp4/sample_table.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

/// Reads back what `make_fragment` wrote. The bytes come from a disk, so they are outside bytes: every field
/// is checked, and memory is bounded by `max_part_samples`. Pure.
namespace lookback::packager {

inline constexpr std::uint32_t max_part_samples = 65'536;
inline constexpr std::uint32_t max_moof_bytes = 2u << 20;  ///< holds that many samples with every field
inline constexpr std::uint32_t min_part_bytes = 16;        ///< of any part: two box headers

/// How many bytes at the front of a part of `part_bytes` `read_part` needs: the moof and mdat's header.
/// `front` holds at least the first 8. Errors: bad_fragment.
Result<std::uint32_t> part_head_bytes(ByteSpan front, std::uint32_t part_bytes);

/// Adds the samples of a part to its segment's table. `head` begins with the part's moof and mdat header
/// and may go on; the part lies at `offset` in its segment, and its samples fill it to its end. The first
/// part sets `table.start`; each further one must go on where the table ends. On an error the table is
/// unspecified. Errors: bad_fragment.
Result<void> read_part(ByteSpan head, std::uint32_t part_bytes, std::uint32_t offset, SampleTable& table);

}  // namespace lookback::packager
