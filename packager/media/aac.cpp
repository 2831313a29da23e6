#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "packager/media/audio_format.hpp"
#include "packager/media/bit_reader.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t max_config_bytes = 512;  // the longest comment of a program_config_element is 255

// Audio object types, ISO/IEC 14496-3 table 1.17.
constexpr std::uint32_t aac_lc = 2, sbr = 5, parametric_stereo = 29, escape = 31;

// Backward compatible signalling behind the core's configuration (1.6.6.1).
constexpr std::uint32_t sync_extension_sbr = 0x2b7, sync_extension_ps = 0x548;

/// Table 1.18; 13 and 14 are reserved, 15 is the escape.
constexpr std::array<std::uint32_t, 13> sample_rates{96'000, 88'200, 64'000, 48'000, 44'100, 32'000, 24'000,
                                                     22'050, 16'000, 12'000, 11'025, 8'000,  7'350};

/// Table 1.19, channels by channelConfiguration; 0: reserved (and configuration 0: told by the PCE).
constexpr std::array<std::uint8_t, 16> channel_counts{0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0};

struct Config {
  std::uint32_t core_rate = 0, output_rate = 0;
  std::uint32_t channel_configuration = 0, channels = 0;
  std::uint32_t frame_length = 1024;
  bool has_sbr = false, has_ps = false;
};

std::uint32_t read_object_type(BitReader& in) {
  const auto type = in.bits(5);
  return type == escape ? 32 + in.bits(6) : type;
}

/// 0 for a reserved index.
std::uint32_t read_sample_rate(BitReader& in) {
  const auto index = in.bits(4);
  if (index == 15) return in.bits(24);
  return index < sample_rates.size() ? sample_rates[index] : 0;
}

/// `count` elements of a PCE that are a single channel or a pair.
std::uint32_t read_pce_channels(BitReader& in, std::uint32_t count) {
  std::uint32_t channels = 0;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    channels += in.flag() ? 2 : 1;
    in.bits(4);  // element_tag_select
  }
  return channels;
}

/// program_config_element() (4.4.1.1): how many channels there are.
std::uint32_t read_program_config(BitReader& in) {
  in.bits(4 + 2 + 4);  // element_instance_tag, object_type, sampling_frequency_index
  const auto front = in.bits(4), side = in.bits(4), back = in.bits(4), lfe = in.bits(2);
  const auto data = in.bits(3), coupling = in.bits(4);
  if (in.flag()) in.bits(4);  // mono_mixdown_element_number
  if (in.flag()) in.bits(4);  // stereo_mixdown_element_number
  if (in.flag()) in.bits(3);  // matrix_mixdown_idx, pseudo_surround_enable
  const auto channels = read_pce_channels(in, front + side + back) + lfe;
  in.skip(std::size_t{lfe + data} * 4 + std::size_t{coupling} * 5);
  in.align();
  in.skip(std::size_t{in.bits(8)} * 8);  // comment_field_data
  return channels;
}

/// GASpecificConfig() (4.4.1) of AAC-LC.
void read_ga_config(BitReader& in, Config& config) {
  config.frame_length = in.flag() ? 960 : 1024;
  if (in.flag()) in.bits(14);  // coreCoderDelay
  const bool extended = in.flag();
  config.channels = config.channel_configuration == 0 ? read_program_config(in)
                                                      : channel_counts[config.channel_configuration];
  if (extended) in.flag();  // extensionFlag3
}

/// SBR and PS that are announced behind a configuration which older decoders understand (1.6.2.1).
void read_sync_extension(BitReader& in, Config& config) {
  if (in.left() < 16 || in.bits(11) != sync_extension_sbr) return;
  if (read_object_type(in) != sbr) return;
  config.has_sbr = in.flag();
  if (!config.has_sbr) return;
  config.output_rate = read_sample_rate(in);
  if (in.left() >= 12 && in.bits(11) == sync_extension_ps) config.has_ps = in.flag();
}

Result<Config> read_config(ByteSpan bytes) {
  if (bytes.size() > max_config_bytes) return Errc::bad_aac_config;
  BitReader in(bytes);
  Config config;
  auto type = read_object_type(in);
  config.core_rate = config.output_rate = read_sample_rate(in);
  config.channel_configuration = in.bits(4);
  if (type == sbr || type == parametric_stereo) {
    config.has_sbr = true;
    config.has_ps = type == parametric_stereo;
    config.output_rate = read_sample_rate(in);
    type = read_object_type(in);
  }
  if (!in.ok()) return Errc::truncated;
  if (type == 0) return Errc::bad_aac_config;
  if (type != aac_lc) return Errc::unsupported_codec;

  read_ga_config(in, config);
  if (in.ok() && !config.has_sbr) read_sync_extension(in, config);
  if (!in.ok()) return Errc::truncated;
  return config;
}

/// SBR doubles the rate, or keeps it (downsampled SBR, 4.6.18.4.3).
bool plausible(const Config& config) {
  if (config.core_rate == 0 || config.channels == 0) return false;
  return config.output_rate == config.core_rate || config.output_rate == config.core_rate * 2;
}

}  // namespace

Result<TrackFormat> parse_aac_config(ByteSpan bytes) {
  const auto config = read_config(bytes);
  if (!config) return config.error();
  if (!plausible(*config)) return Errc::bad_aac_config;
  if (config->output_rate > max_sample_rate) return Errc::unsupported_codec;

  // Parametric stereo makes two channels of one.
  const auto channels = config->has_ps && config->channels == 1 ? 2 : config->channels;
  auto format = audio_format(Codec::aac, bytes, config->core_rate, channels, config->frame_length);
  format.sample_rate = config->output_rate;
  const auto signalled = config->has_ps ? parametric_stereo : config->has_sbr ? sbr : aac_lc;
  format.codecs = fmt::format("mp4a.40.{}", signalled);
  return format;
}

}  // namespace lookback::packager
