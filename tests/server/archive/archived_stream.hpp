#pragma once
#include <future>

#include "packager/hls/presentation_builder.hpp"
#include "packager/hls/rendition_builder.hpp"
#include "store/store.hpp"
#include "tests/packager/mp4/stored_stream.hpp"

/// Streams of real clips in a real store.
namespace lookback::test {

/// Puts everything that the packager gave out into the store, under `name`. The record as it is then.
inline store::StreamRecord archive(store::Store& store, const std::string& name,
                                   const packager::Outputs& outputs) {
  auto record = store.open_stream(name).value();
  std::vector<std::future<bool>> stored;
  for (const auto& output : outputs) {
    if (const auto* stream = std::get_if<store::StreamRecord>(&output)) {
      record.target_duration_s = stream->target_duration_s;
      record.part_target_us = stream->part_target_us;
      store.put_stream(record);
    } else if (const auto* track = std::get_if<packager::NewTrack>(&output)) {
      store.put_track(record.id, track->record);
    } else if (const auto* init = std::get_if<packager::NewInit>(&output)) {
      store.put_init(record.id, init->record);
    } else {
      auto append = std::get<store::Append>(output);
      append.stream = record.id;
      const auto done = std::make_shared<std::promise<bool>>();
      stored.push_back(done->get_future());
      store.append(std::move(append),
                   [done](Result<store::SegmentRecord> result) { done->set_value(result.has_value()); });
    }
  }
  for (auto& one : stored) REQUIRE(one.get());
  return record;
}

/// What viewers see of it.
inline std::shared_ptr<const packager::hls::Presentation> present(store::Store& store,
                                                                  const store::StreamRecord& record) {
  namespace hls = packager::hls;
  std::vector<hls::PresentationTrack> tracks;
  auto window = store.load_window(record.id, 0).value();
  for (auto& stored : window.tracks) {
    hls::RenditionBuilder::Options options;
    options.timing = {record.target_duration_s, record.part_target_us};
    options.generation = record.generation;
    options.track = stored.track.name;
    options.kind = stored.track.name[0] == 'v' ? packager::MediaKind::video : packager::MediaKind::audio;
    options.timescale = stored.track.timescale;
    options.window_us = INT64_MAX;
    hls::RenditionBuilder builder(options);
    auto inits = std::make_shared<hls::Inits>();
    hls::PresentationTrack track;
    for (auto& init : stored.inits) {
      track.format =
          std::make_shared<packager::TrackFormat>(packager::deserialize_format(init.format).value());
      inits->emplace(init.id, make_slice(std::move(init.bytes)));
    }
    builder.load(std::move(stored.segments));
    track.rendition = builder.snapshot({});
    track.inits = inits;
    tracks.push_back(std::move(track));
  }
  return hls::make_presentation(record.generation, std::move(tracks));
}

}  // namespace lookback::test
