#pragma once
#include <boost/system/error_code.hpp>

namespace lookback::packager {

/// What can be wrong with what a source sends.
enum class Errc {
  truncated = 1,       ///< the record ends before its own fields do
  bad_avc_config,      ///< AVCDecoderConfigurationRecord breaks ISO/IEC 14496-15 5.3.3.1
  bad_sps,             ///< the SPS breaks ITU-T H.264 7.3.2.1 or H.265 7.3.2.2
  bad_aac_config,      ///< AudioSpecificConfig breaks ISO/IEC 14496-3 1.6.2.1
  unsupported_codec,   ///< well formed, but not a format that we package
  picture_too_large,   ///< wider or higher than 16,384
  muxer_failed,        ///< FFmpeg could not write the init segment
  dts_not_increasing,  ///< a sample that is not later than the one before
  no_parameters,       ///< media before its codec configuration
  bad_fragment,        ///< a stored part is not a moof and mdat as we write them
  bad_init,            ///< a stored init section is not an ftyp and moov of one track
  nothing_to_show,     ///< no sample lies in the wanted range
  bad_hevc_config,  ///< HEVCDecoderConfigurationRecord breaks ISO/IEC 14496-15 8.3.3.1, or lacks a parameter
                    ///< set
  bad_av1_config,   ///< AV1CodecConfigurationRecord breaks its format, or lacks a sequence header
  bad_vp9_config,   ///< no VPCodecConfigurationRecord, or no key picture behind it
  bad_opus_config,  ///< the ID header breaks RFC 7845 5.1
  bad_ac3_config,   ///< no AC-3 or E-AC-3 syncframe (ETSI TS 102 366)
  bad_mp3_frame,    ///< no frame of MPEG audio layer III
  bad_flac_config,  ///< the STREAMINFO block breaks RFC 9639 8.2
  too_many_tracks,  ///< the stream has as many as it may, and none of them fits the source's
};

const boost::system::error_category& packager_category();
boost::system::error_code make_error_code(Errc e);

}  // namespace lookback::packager

template <>
struct boost::system::is_error_code_enum<lookback::packager::Errc> : std::true_type {};
