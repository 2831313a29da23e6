#include "packager/mp4/init.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "packager/media/language.hpp"
#include "packager/mp4/box_fields.hpp"
#include "packager/mp4/sample_entry.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/dict.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
}

namespace lookback::packager {
namespace {

// No edit list with `cmaf`; `empty_moov` writes the moov before any sample.
constexpr const char* mov_flags = "frag_custom+empty_moov+default_base_moof+cmaf+skip_sidx";

/// Owns a muxer that writes into memory.
class Muxer {
 public:
  Muxer() {
    // A failure comes back as muxer_failed: FFmpeg need not also print it.
    static const bool quiet = (av_log_set_level(AV_LOG_QUIET), true);
    (void)quiet;
    if (avformat_alloc_output_context2(&context_, nullptr, "mp4", nullptr) < 0) return;
    if (avio_open_dyn_buf(&context_->pb) < 0) return;
    context_->flags |= AVFMT_FLAG_BITEXACT;
    stream_ = avformat_new_stream(context_, nullptr);
  }
  Muxer(const Muxer&) = delete;
  Muxer& operator=(const Muxer&) = delete;
  ~Muxer() {
    if (context_ == nullptr) return;
    if (context_->pb != nullptr) close();
    avformat_free_context(context_);
  }

  AVStream* stream() const { return stream_; }

  bool write_header() {
    AVDictionary* options = nullptr;
    av_dict_set(&options, "movflags", mov_flags, 0);
    av_dict_set_int(&options, "video_track_timescale", stream_->time_base.den, 0);
    const int written = avformat_write_header(context_, &options);
    const bool all_known = av_dict_count(options) == 0;
    av_dict_free(&options);
    return written >= 0 && all_known && context_->pb->error == 0;
  }

  std::vector<std::byte> take_bytes() {
    const auto written = close();
    const auto* begin = reinterpret_cast<const std::byte*>(written.data.get());
    return {begin, begin + written.size};
  }

 private:
  struct Free {
    void operator()(std::uint8_t* data) const { av_free(data); }
  };
  struct Written {
    std::unique_ptr<std::uint8_t, Free> data;
    int size = 0;
  };

  Written close() {
    std::uint8_t* data = nullptr;
    const int size = avio_close_dyn_buf(context_->pb, &data);
    context_->pb = nullptr;
    return {std::unique_ptr<std::uint8_t, Free>(data), size};
  }

  AVFormatContext* context_ = nullptr;
  AVStream* stream_ = nullptr;
};

/// The muxer's id. A codec whose sample entry is ours stands under one that needs no configuration.
AVCodecID muxer_id(const TrackFormat& format) {
  switch (format.codec) {
    case Codec::avc:
      return AV_CODEC_ID_H264;
    case Codec::hevc:
      return AV_CODEC_ID_HEVC;
    case Codec::av1:
      return AV_CODEC_ID_AV1;
    case Codec::mp3:
      return AV_CODEC_ID_MP3;
    default:
      return format.kind == MediaKind::video ? AV_CODEC_ID_MPEG4 : AV_CODEC_ID_AAC;
  }
}

/// MP3 has no configuration in its sample entry.
bool set_config(AVCodecParameters& par, const TrackFormat& format) {
  if (!muxer_knows(format.codec) || format.codec == Codec::mp3) return true;
  const auto& config = format.config;
  par.extradata = static_cast<std::uint8_t*>(av_mallocz(config.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  if (par.extradata == nullptr) return false;
  std::memcpy(par.extradata, config.data(), config.size());
  par.extradata_size = static_cast<int>(config.size());
  return true;
}

/// `colr` for HDR, so that a player can tell before it decodes; SDR is what it assumes anyhow.
void set_colour(AVCodecParameters& par, const TrackFormat& format) {
  if (format.range == VideoRange::sdr) return;
  par.color_primaries = static_cast<AVColorPrimaries>(format.colour.primaries);
  par.color_trc = static_cast<AVColorTransferCharacteristic>(format.colour.transfer);
  par.color_space = static_cast<AVColorSpace>(format.colour.matrix);
  par.color_range = format.colour.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
}

/// mdhd (ISO/IEC 14496-12 8.4.2) has room for the terminological code only: "deu", not "ger".
bool set_language(AVStream& stream, const TrackFormat& format) {
  return av_dict_set(&stream.metadata, "language", language_of(format.language).terminological.c_str(), 0) >=
         0;
}

void set_video(AVStream& stream, const TrackFormat& format) {
  auto& par = *stream.codecpar;
  par.codec_type = AVMEDIA_TYPE_VIDEO;
  par.codec_id = muxer_id(format);
  if (format.codec == Codec::hevc) par.codec_tag = MKTAG('h', 'v', 'c', '1');  // Apple plays no hev1
  par.width = static_cast<int>(format.coded_width);
  par.height = static_cast<int>(format.coded_height);
  if (format.sar_num != format.sar_den) {
    par.sample_aspect_ratio = {static_cast<int>(format.sar_num), static_cast<int>(format.sar_den)};
    stream.sample_aspect_ratio = par.sample_aspect_ratio;
  }
  set_colour(par, format);
}

void set_audio(AVCodecParameters& par, const TrackFormat& format) {
  par.codec_type = AVMEDIA_TYPE_AUDIO;
  par.codec_id = muxer_id(format);
  if (par.codec_id == AV_CODEC_ID_AAC) par.profile = FF_PROFILE_AAC_LOW;
  par.sample_rate = static_cast<int>(format.timescale);  // the muxer makes it the track's timescale
  par.frame_size = static_cast<int>(format.samples_per_frame);
  av_channel_layout_default(&par.ch_layout, static_cast<int>(format.channels));
}

/// Puts another sample entry in the place of the only one; the boxes around it grow or shrink with it.
Result<void> replace_sample_entry(std::vector<std::byte>& init, ByteSpan entry) {
  constexpr std::size_t entry_count_bytes = 8;  // of stsd, with version and flags
  constexpr std::array around{box_type("moov"), box_type("trak"), box_type("mdia"),
                              box_type("minf"), box_type("stbl"), box_type("stsd")};
  std::array<std::size_t, around.size()> starts{};
  BoxFields in(init);
  for (std::size_t i = 0; i < around.size(); ++i) {
    in = in.find_box(around[i]);
    starts[i] = static_cast<std::size_t>(in.left().data() - init.data()) - BoxFields::header_bytes;
  }
  in.skip(entry_count_bytes);
  const auto old = in.left();
  if (!in.ok() || old.empty()) return Errc::muxer_failed;
  const auto at = init.begin() + (old.data() - init.data());
  const auto grown = static_cast<std::uint32_t>(entry.size() - old.size());  // modulo 2^32
  for (const auto start : starts) {
    const auto size = BoxFields(ByteSpan(init).subspan(start)).u32() + grown;
    for (int i = 0; i < 4; ++i) init[start + i] = static_cast<std::byte>(size >> (24 - 8 * i));
  }
  const auto place = init.erase(at, at + static_cast<std::ptrdiff_t>(old.size()));
  init.insert(place, entry.begin(), entry.end());
  return {};
}

/// FFmpeg says `cmfc`, whose tracks start their composition offsets at zero with an edit list. Ours have
/// negative offsets and no edit list: `cmf2` (ISO/IEC 23000-19 7.5.17).
void name_cmaf_brand(std::vector<std::byte>& init) {
  const auto text = as_text(init);
  const auto end = std::min(text.find("moov"), text.size());  // the ftyp box comes first
  const auto brand = text.substr(0, end).find("cmfc");
  if (brand != std::string_view::npos) init[brand + 3] = std::byte{'2'};
}

}  // namespace

Result<std::vector<std::byte>> make_init(const TrackFormat& format) {
  if (format.coded_width > 0xFFFF || format.coded_height > 0xFFFF) return Errc::muxer_failed;
  Muxer muxer;
  auto* const stream = muxer.stream();
  if (stream == nullptr || !set_config(*stream->codecpar, format)) return Errc::muxer_failed;
  stream->time_base = {1, static_cast<int>(format.timescale)};
  if (format.kind == MediaKind::video) {
    set_video(*stream, format);
  } else {
    set_audio(*stream->codecpar, format);
  }
  if (!format.language.empty() && !set_language(*stream, format)) return Errc::muxer_failed;
  if (!muxer.write_header()) return Errc::muxer_failed;
  auto init = muxer.take_bytes();
  name_cmaf_brand(init);
  if (!muxer_knows(format.codec)) {
    if (const auto replaced = replace_sample_entry(init, sample_entry(format)); !replaced) {
      return replaced.error();
    }
  }
  return init;
}

}  // namespace lookback::packager
