#include "packager/errc.hpp"

#include <string>

namespace lookback::packager {
namespace {

const char* text(Errc e) {
  switch (e) {
    case Errc::truncated:
      return "the record ends before its own fields do";
    case Errc::bad_avc_config:
      return "not a valid AVCDecoderConfigurationRecord";
    case Errc::bad_sps:
      return "not a valid sequence parameter set";
    case Errc::bad_aac_config:
      return "not a valid AudioSpecificConfig";
    case Errc::unsupported_codec:
      return "well formed, but not a format that is packaged";
    case Errc::picture_too_large:
      return "the picture is wider or higher than 16384";
    case Errc::muxer_failed:
      return "the init segment could not be written";
    case Errc::dts_not_increasing:
      return "a sample is not later than the one before";
    case Errc::no_parameters:
      return "media arrived before its codec configuration";
    case Errc::bad_fragment:
      return "a stored part is not a moof and mdat as they were written";
    case Errc::bad_init:
      return "a stored init section is not an ftyp and moov of one track";
    case Errc::nothing_to_show:
      return "no sample lies in the wanted range";
    case Errc::bad_hevc_config:
      return "not a valid HEVCDecoderConfigurationRecord with VPS, SPS and PPS";
    case Errc::bad_av1_config:
      return "not a valid AV1CodecConfigurationRecord with a sequence header";
    case Errc::bad_vp9_config:
      return "not a valid VPCodecConfigurationRecord and key picture";
    case Errc::bad_opus_config:
      return "not a valid Opus ID header";
    case Errc::bad_ac3_config:
      return "not a valid AC-3 or E-AC-3 syncframe";
    case Errc::bad_mp3_frame:
      return "not a valid frame of MPEG audio layer III";
    case Errc::too_many_tracks:
      return "the stream has as many tracks as it may (limits.max_tracks)";
    case Errc::bad_flac_config:
      return "not a valid FLAC STREAMINFO block";
  }
  return "unknown packager error";
}

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "packager"; }
  std::string message(int value) const override { return text(static_cast<Errc>(value)); }
};

}  // namespace

const boost::system::error_category& packager_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc e) { return {static_cast<int>(e), packager_category()}; }

}  // namespace lookback::packager
