#include "server/archive/recording_view.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "server/archive/view_resolve.hpp"
#include "store/extent_record.hpp"

namespace lookback::server {
namespace {

namespace hls = packager::hls;

/// A recording that has ended is closed when all its tracks have its last segment; one that lacks it this
/// long after will not get it.
constexpr std::int64_t late_us = 30'000'000;
/// One that grows is looked at in the index at most this often.
constexpr std::chrono::milliseconds look_interval{500};
constexpr std::size_t text_bytes_per_segment = 200;  // a line of EXTINF and a URI, and their packed form

bool is_started(const store::RecordingRecord& record) {
  return record.first_msn != store::RecordingRecord::open;
}

/// All tracks have everything of a recording that has ended.
bool is_whole(const store::RecordingRecord& record, const hls::Presentation& presentation) {
  const auto& all = presentation.renditions();
  return record.ended && std::all_of(all.begin(), all.end(), [&](const auto& rendition) {
           const auto last = rendition->last_msn();
           return rendition->ended() || (last && *last + 1 >= record.end_msn);
         });
}

/// Renditions lose their front together, within a segment: one that begins later than that has joined later,
/// and lacks nothing.
bool holds(const hls::Presentation& window, std::uint64_t msn) {
  const auto& all = window.renditions();
  const auto first =
      std::ranges::min(all, {}, [](const auto& each) { return each->first_msn(); })->first_msn();
  return first <= msn && std::ranges::all_of(all, [&](const auto& each) {
           return each->first_msn() <= msn || each->first_msn() > first + 1;
         });
}

hls::View whole_view(const store::RecordingRecord& record, bool closed) {
  hls::View view;
  view.type = closed ? hls::View::Type::vod : hls::View::Type::event;
  view.first_msn = record.first_msn;
  view.end_msn = record.ended ? record.end_msn : hls::View::open;
  view.low_latency = !record.ended;
  view.absolute_media = true;
  return view;
}

}  // namespace

PresentationPtr view_of_window(const Recording& recording, const PresentationPtr& window,
                               std::int64_t now_us) {
  const auto& record = recording.record;
  if (!window || !is_started(record)) return nullptr;
  if (window->renditions().empty() || !holds(*window, record.first_msn)) return nullptr;
  auto view = whole_view(record, is_whole(record, *window));
  if (!record.ended && record.end_us != INT64_MAX) {
    // The segment that holds the end may have come since the service looked.
    archive::ViewRequest request;
    request.start = archive::Moment{record.start_us, false};
    request.end = archive::Moment{record.end_us, false};
    if (const auto resolved = archive::resolve(request, *window, now_us))
      view.end_msn = resolved->view.end_msn;
    if (view.end_msn <= view.first_msn) view.end_msn = view.first_msn + 1;
  }
  return window->view(view);
}

PresentationPtr RecordingViews::find(const Recording& recording) {
  const std::lock_guard lock(mutex_);
  const auto found = loaded_.find(recording.record.id);
  if (found == loaded_.end() || !is_right(*found->second, recording.record)) return nullptr;
  used_.splice(used_.begin(), used_, found->second->place);
  return found->second->presentation;
}

PresentationPtr RecordingViews::joined(const Recording& recording, const PresentationPtr& window) {
  if (!window || recording.record.ended) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto found = loaded_.find(recording.record.id);
  if (found == loaded_.end()) return nullptr;
  auto& loaded = *found->second;
  if (!loaded.presentation || loaded.record.first_msn != recording.record.first_msn) return nullptr;
  auto joined = loaded.window.lock() == window ? loaded.joined.lock() : nullptr;
  if (!joined) {
    joined = window->after(*loaded.presentation);
    loaded.window = window;
    loaded.joined = joined;
  }
  if (joined) used_.splice(used_.begin(), used_, loaded.place);
  return joined;
}

/// `mutex_` is held.
bool RecordingViews::is_right(const Loaded& loaded, const store::RecordingRecord& record) const {
  if (!loaded.presentation) return false;
  const auto& shown = loaded.record;
  const bool same = shown.first_msn == record.first_msn && shown.end_msn == record.end_msn &&
                    shown.ended == record.ended && shown.stream == record.stream;
  if (!same) return false;
  return loaded.closed || std::chrono::steady_clock::now() - loaded.looked < look_interval;
}

RecordingViews::LoadedPtr RecordingViews::entry(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = loaded_.find(id);
  if (found != loaded_.end()) return found->second;
  auto loaded = std::make_shared<Loaded>();
  used_.push_front(id);
  loaded->place = used_.begin();
  loaded_.emplace(id, loaded);
  return loaded;
}

Result<PresentationPtr> RecordingViews::load(const Recording& recording, std::int64_t now_us) {
  if (!is_started(recording.record)) return PresentationPtr();
  const auto loaded = entry(recording.record.id);
  const std::lock_guard loading(loaded->loading);
  if (auto presentation = find(recording)) return presentation;  // by whoever came first
  if (auto done = read(*loaded, recording); !done) return done.error();
  std::int64_t end_us = 0;
  bool whole = recording.record.ended;
  for (const auto& [id, track] : loaded->tracks) {
    end_us = std::max(end_us, track.end_us);
    whole = whole && track.next_msn >= recording.record.end_msn;
  }
  const bool closed = recording.record.ended && (whole || now_us - end_us > late_us);
  auto presentation = present(*loaded, recording, closed);
  keep(loaded, recording, presentation, closed);
  return presentation;
}

/// Reads what has come since the last time.
Result<void> RecordingViews::read(Loaded& loaded, const Recording& recording) {
  const auto& record = recording.record;
  if (loaded.stream.id == 0) {
    auto stream = store_.find_stream(recording.stream);
    if (!stream) return stream.error();
    loaded.stream = std::move(*stream);
  }
  auto from = loaded.tracks.empty() ? record.first_msn : record.end_msn;
  for (const auto& [id, track] : loaded.tracks)
    from = std::min(from, std::max(track.next_msn, record.first_msn));
  if (from >= record.end_msn) return {};
  auto window = store_.load_range(record.stream, from, record.end_msn);
  if (!window) return window.error();
  for (auto& track : window->tracks) {
    if (auto taken = take(loaded, recording.stream, std::move(track)); !taken) return taken;
  }
  return {};
}

Result<void> RecordingViews::take(Loaded& loaded, const std::string& stream, store::Window::Track window) {
  std::erase_if(window.segments, [](const auto& segment) { return !segment.complete; });
  auto found = loaded.tracks.find(window.track.id);
  if (found == loaded.tracks.end()) {
    if (window.segments.empty()) return {};
    hls::RenditionBuilder::Options options;
    options.timing = {loaded.stream.target_duration_s, loaded.stream.part_target_us};
    options.generation = loaded.stream.generation;
    options.track = window.track.name;
    options.media_prefix = "/" + stream + "/";
    options.kind =
        window.track.name.starts_with('v') ? packager::MediaKind::video : packager::MediaKind::audio;
    options.timescale = window.track.timescale;
    options.window_us = std::numeric_limits<std::int64_t>::max();
    Track fresh;
    fresh.record = window.track;
    fresh.builder = std::make_unique<hls::RenditionBuilder>(std::move(options));
    found = loaded.tracks.emplace(window.track.id, std::move(fresh)).first;
  }
  auto& track = found->second;
  for (auto& init : window.inits) {
    if (track.inits->contains(init.id)) continue;
    auto format = packager::deserialize_format(init.format);
    if (!format) return format.error();
    auto inits = std::make_shared<hls::Inits>(*track.inits);
    auto formats = std::make_shared<hls::Formats>(*track.formats);
    formats->insert_or_assign(init.id, std::make_shared<const packager::TrackFormat>(std::move(*format)));
    inits->insert_or_assign(init.id, make_slice(std::move(init.bytes)));
    track.format = formats->rbegin()->second;
    track.inits = std::move(inits);
    track.formats = std::move(formats);
  }
  std::erase_if(window.segments, [&](const auto& segment) { return segment.msn < track.next_msn; });
  if (window.segments.empty()) return {};
  const auto& last = window.segments.back();
  const bool first_load = track.next_msn == 0;
  track.next_msn = last.msn + 1;
  track.end_us = store::end_pdt_us(last, track.record.timescale);
  if (first_load) {
    track.builder->load(std::move(window.segments));
  } else {
    for (const auto& segment : window.segments) track.builder->add(segment, {});
  }
  return {};
}

PresentationPtr RecordingViews::present(Loaded& loaded, const Recording& recording, bool closed) const {
  std::vector<hls::PresentationTrack> tracks;
  for (auto& [id, track] : loaded.tracks) {
    if (!track.format) continue;
    track.builder->set_ended(closed);
    auto rendition = track.builder->snapshot({});
    if (!rendition->last_msn()) continue;
    tracks.push_back({track.format,
                      std::move(rendition),
                      track.inits,
                      track.builder->bit_rates(),
                      track.builder->independent(),
                      {0, 0},
                      track.builder->iframe_rates(),
                      track.formats});
  }
  if (tracks.empty()) return nullptr;
  auto view = whole_view(recording.record, closed);
  view.low_latency = false;
  return hls::make_presentation(loaded.stream.generation, std::move(tracks))->view(view);
}

void RecordingViews::keep(const LoadedPtr& loaded, const Recording& recording, PresentationPtr presentation,
                          bool closed) {
  std::size_t bytes = 0;
  for (const auto& [id, track] : loaded->tracks) {
    bytes += track.builder->index_bytes();
    bytes += (track.next_msn - std::min(track.next_msn, recording.record.first_msn)) * text_bytes_per_segment;
  }
  const std::lock_guard lock(mutex_);
  loaded->record = recording.record;
  loaded->presentation = std::move(presentation);
  loaded->window.reset();
  loaded->joined.reset();
  loaded->closed = closed;
  loaded->looked = std::chrono::steady_clock::now();
  const auto known = loaded_.find(recording.record.id);
  if (known == loaded_.end() || known->second != loaded) return;  // forgotten meanwhile
  bytes_ = bytes_ - loaded->bytes + bytes;
  loaded->bytes = bytes;
  while (bytes_ > max_bytes_ && !used_.empty()) forget(loaded_.find(used_.back()));
}

/// `mutex_` is held.
void RecordingViews::forget(std::map<std::string, LoadedPtr, std::less<>>::iterator entry) {
  bytes_ -= entry->second->bytes;
  used_.erase(entry->second->place);
  loaded_.erase(entry);
}

void RecordingViews::forget(store::StreamId stream) {
  const std::lock_guard lock(mutex_);
  for (auto next = loaded_.begin(); next != loaded_.end();) {
    const auto entry = next++;
    // One without a presentation is being loaded now, and may have read the old state.
    if (!entry->second->presentation || entry->second->record.stream == stream) forget(entry);
  }
}

std::size_t RecordingViews::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace lookback::server
