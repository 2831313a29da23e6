#include "server/pictures/clip_samples.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "packager/mp4/moof_reader.hpp"
#include "server/pictures/errc.hpp"

namespace lookback::server::pictures {
namespace {

namespace hls = packager::hls;

constexpr std::uint64_t max_steps = 256;  // back, over segments that start without a key picture
constexpr std::size_t max_clip_bytes =
    max_job_bytes - (4u << 20);  // the rest is for what stands around samples
/// What the slowest decoder, HEVC's, does in a millisecond; half of a job's CPU time is left for encoders.
constexpr std::uint64_t pixels_per_cpu_ms = 200'000;

bool has_key_picture(const hls::SegmentTime& time) { return time.sync && !time.gap; }

/// A whole segment. What the presentation keeps of an older one is not its whole record.
struct ReadSegment {
  store::SegmentRecord record;
  Slice bytes;
};

Result<ReadSegment> read_segment(const MediaAccess& media, const MediaName& name,
                                 const hls::SegmentView& segment) {
  if (!segment.bytes.empty()) return ReadSegment{segment.record, make_slice(flatten(segment.bytes))};
  auto record = media.find_segment(name, {});
  if (!record) return record.error();
  if (record->gap || record->parts.empty()) return store::Errc::not_found;
  const auto file = media.store.extent(record->extent);
  if (!file) return file.error();
  auto bytes = (*file)->read(record->offset, record->size_bytes);
  if (!bytes) return bytes.error();
  return ReadSegment{std::move(*record), make_slice(std::move(*bytes))};
}

Result<packager::SampleTable> read_table(ByteSpan bytes, const store::SegmentRecord& record) {
  packager::SampleTable table;
  std::uint32_t offset = 0;
  for (const auto& part : record.parts) {
    if (part.size_bytes > bytes.size() - offset) return store::Errc::damaged;
    const auto added =
        packager::read_part(bytes.subspan(offset, part.size_bytes), part.size_bytes, offset, table);
    if (!added) return store::Errc::damaged;
    offset += part.size_bytes;
  }
  if (table.samples.empty()) return store::Errc::damaged;
  return table;
}

double median_us(const packager::SampleTable& table, std::uint32_t timescale) {
  std::vector<std::uint32_t> durations;
  for (const auto& sample : table.samples) durations.push_back(sample.duration);
  const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
  std::nth_element(durations.begin(), middle, durations.end());
  return *middle * 1e6 / timescale;
}

/// Reads one moment. Lives for one call.
class Reader {
 public:
  Reader(const MediaAccess& media, const ClipMoment& moment, const Options& options)
      : media_(media),
        moment_(moment),
        options_(options),
        pixels_left_(static_cast<std::uint64_t>(options.max_cpu.count()) / 2 * pixels_per_cpu_ms) {}

  Result<ClipSamples> run() {
    const auto& lead = *video_of(*moment_.presentation);
    for (auto msn = first_segment_of(lead, moment_); !out_.too_much; ++msn) {
      const auto time = lead.time_of(msn);
      if (!time || time->pdt_us >= moment_.range.end_us) break;
      if (const auto read = add(msn, *time); !read) return read.error();
    }
    drop_what_follows();
    if (out_.sources.empty()) return error_;
    return std::move(out_);
  }

 private:
  /// The rendition that the present source is made of.
  struct Run {
    packager::TrackFormat format;
    std::string track;
    std::uint32_t init_id = 0, discontinuity_sequence = 0;
  };

  /// One segment that cannot be had leaves a hole.
  Result<void> add(std::uint64_t msn, const hls::SegmentTime& time) {
    if (run_ && run_->discontinuity_sequence != time.discontinuity_sequence) run_.reset();
    auto segment = segment_of_run(msn);
    if (!segment) {
      run_.reset();
      if (!has_key_picture(time)) return {};
      if (auto begun = begin_run(msn, time); !begun) return begun;
      segment = segment_of_run(msn);
    }
    if (!segment) return {};
    const auto read = append(*segment);
    if (!read && read.error() == store::Errc::io_error) return read;
    if (!read) {
      error_ = read.error();
      run_.reset();
    }
    return {};
  }

  std::optional<hls::SegmentView> segment_of_run(std::uint64_t msn) const {
    if (!run_) return {};
    const auto rendition = moment_.presentation->rendition(run_->track);
    auto segment = rendition ? rendition->segment(msn) : std::nullopt;
    const bool goes_on = segment && !segment->record.gap && segment->record.complete &&
                         segment->record.init_id == run_->init_id;
    return goes_on ? std::move(segment) : std::nullopt;
  }

  Result<void> begin_run(std::uint64_t msn, const hls::SegmentTime& time) {
    const auto pictures = key_picture_of(*moment_.presentation, msn);
    if (!pictures) return {};
    Output size;
    size.width = moment_.width;
    auto chosen = choose_rendition(media_, moment_.stream, moment_.presentation->generation(), *pictures,
                                   size, options_.max_pixels);
    if (!chosen) {
      error_ = chosen.error();
      if (error_ == store::Errc::io_error) return error_;
      return {};
    }
    const auto& record = chosen->picture->segment.record;
    Source source;
    source.codec = static_cast<CodecNumber>(chosen->format.codec);
    source.config = chosen->format.config;
    out_.sources.push_back(std::move(source));
    run_ =
        Run{std::move(chosen->format), chosen->picture->track, record.init_id, time.discontinuity_sequence};
    return {};
  }

  Result<void> append(const hls::SegmentView& segment) {
    const MediaName name{moment_.stream, moment_.presentation->generation(), run_->track, segment.record.msn};
    const auto read = read_segment(media_, name, segment);
    if (!read) return read.error();
    const auto table = read_table(read->bytes.bytes, read->record);
    if (!table) return table.error();
    if (out_.frame_us == 0) out_.frame_us = median_us(*table, run_->format.timescale);
    const auto& format = run_->format;
    const auto pixels = std::uint64_t{format.coded_width} * format.coded_height * table->samples.size();
    samples_ += table->samples.size();
    bytes_ += read->bytes.size();
    out_.too_much = samples_ > max_samples || bytes_ > max_clip_bytes || pixels > pixels_left_ ||
                    out_.sources.size() > max_sources;
    if (out_.too_much) return {};
    pixels_left_ -= pixels;
    return append_samples(read->bytes, *table, read->record);
  }

  Result<void> append_samples(const Slice& bytes, const packager::SampleTable& table,
                              const store::SegmentRecord& record) {
    auto dts = table.start;
    std::size_t next = 0;
    for (const auto& chunk : table.chunks) {
      std::size_t offset = chunk.offset;
      for (std::uint32_t i = 0; i < chunk.samples; ++i, ++next) {
        const auto& sample = table.samples[next];
        if (offset > bytes.size() || sample.size_bytes > bytes.size() - offset) return store::Errc::damaged;
        const auto since_start = dts + sample.composition - record.start;
        const auto pts_us = record.pdt_us + since_start * 1'000'000 / run_->format.timescale;
        out_.sources.back().samples.push_back({pts_us, bytes.sub(offset, sample.size_bytes)});
        offset += sample.size_bytes;
        dts += sample.duration;
      }
    }
    return {};
  }

  /// Nothing in the moment refers to what is decoded after its last picture.
  void drop_what_follows() {
    std::erase_if(out_.sources, [](const Source& source) { return source.samples.empty(); });
    if (out_.sources.empty()) return;
    auto& samples = out_.sources.back().samples;
    const auto inside = [&](const Sample& sample) { return sample.pts < moment_.range.end_us; };
    const auto last = std::find_if(samples.rbegin(), samples.rend(), inside);
    samples.erase(last.base(), samples.end());
    if (samples.empty()) out_.sources.pop_back();
  }

  const MediaAccess& media_;
  const ClipMoment& moment_;
  const Options& options_;
  std::uint64_t pixels_left_;
  std::size_t samples_ = 0, bytes_ = 0;
  std::optional<Run> run_;
  boost::system::error_code error_ = store::Errc::not_found;
  ClipSamples out_;
};

}  // namespace

std::uint64_t first_segment_of(const hls::Rendition& lead, const ClipMoment& moment) {
  const auto at = segment_at(lead, moment.range.start_us);
  auto msn = at;
  for (std::uint64_t i = 0; i < max_steps; ++i, --msn) {
    const auto time = lead.time_of(msn);
    if (!time) break;
    if (has_key_picture(*time)) return msn;
    if (msn == lead.first_msn()) break;
  }
  return at;
}

Result<ClipSamples> read_clip_samples(const MediaAccess& media, const ClipMoment& moment,
                                      const Options& options) {
  return Reader(media, moment, options).run();
}

}  // namespace lookback::server::pictures
