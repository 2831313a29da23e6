#pragma once
#include <boost/system/error_code.hpp>

namespace lookback::packager {

/// What can be wrong with what a source sends.
enum class Errc {
  truncated = 1,       ///< the record ends before its own fields do
  bad_avc_config,      ///< AVCDecoderConfigurationRecord breaks ISO/IEC 14496-15 5.3.3.1
  bad_sps,             ///< the SPS breaks ITU-T H.264 7.3.2.1
  bad_aac_config,      ///< AudioSpecificConfig breaks ISO/IEC 14496-3 1.6.2.1
  unsupported_codec,   ///< well formed, but not a format that we package
  picture_too_large,   ///< wider or higher than 16,384
  muxer_failed,        ///< FFmpeg could not write the init segment
  dts_not_increasing,  ///< a sample that is not later than the one before
  no_parameters,       ///< media before its codec configuration
  bad_fragment,        ///< a stored part is not a moof and mdat as we write them
  bad_init,            ///< a stored init section is not an ftyp and moov of one track
  nothing_to_show,     ///< no sample lies in the wanted range
};

const boost::system::error_category& packager_category();
boost::system::error_code make_error_code(Errc e);

}  // namespace lookback::packager

template <>
struct boost::system::is_error_code_enum<lookback::packager::Errc> : std::true_type {};
