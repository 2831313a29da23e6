#pragma once
#include <cstdint>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

/// Makes VP9's configuration of a VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding; 8
/// bytes, or 12 with the version and flags of its box), which does not tell the size, and of the key picture
/// behind it, which does. A record without a level gets the one that the size needs at 30 pictures a second.
/// Errors: truncated, bad_vp9_config.
Result<std::vector<std::byte>> vp9_config(ByteSpan record, ByteSpan key_picture);

/// The same without a record, as MP4 and Matroska files leave it to the key picture.
Result<std::vector<std::byte>> vp9_config(ByteSpan key_picture);

/// Whether a frame (or superframe) begins with a key picture.
bool is_vp9_key_picture(ByteSpan frame);

}  // namespace lookback::packager
