#include "server/pictures/worker/film.hpp"

#include <new>
#include <utility>

#include "server/pictures/worker/render.hpp"

namespace lookback::server::pictures::worker {
namespace {

bool same_size(const Output& one, const Output& other) {
  return one.width == other.width && one.height == other.height && one.fit == other.fit;
}

}  // namespace

Film::Film(const Job& job) : job_(job) {
  for (const auto& output : job.outputs)
    tracks_.push_back({make_film_encoder(output.format, output.quality), 0, 0});
}

/// What is missing in front is made up for by the first picture that is there.
std::int64_t Film::begin_us() const { return begun_ ? job_.clip->begins_us[next_] : 0; }

/// As large as the first one: the source may change its size.
Raster Film::picture_for(AVFrame& frame, std::size_t output) {
  const Frame copy(av_frame_clone(&frame));  // shares the pixels; `render` may crop it
  if (!copy) throw std::bad_alloc();
  auto& track = tracks_[output];
  auto wanted = job_.outputs[output];
  if (track.width != 0) {
    wanted.width = track.width;
    wanted.height = track.height;
    wanted.fit = Fit::contain;
  }
  auto picture = render(*copy, wanted);
  if (track.width == 0 || picture.rgb.empty()) return picture;
  if (picture.width == track.width && picture.height == track.height) return picture;
  Raster whole(track.width, track.height);
  lay(whole, picture, 0, 0, track.width, track.height);
  return whole;
}

void Film::encode(const Raster& picture, std::size_t output) {
  auto& track = tracks_[output];
  track.width = picture.width;
  track.height = picture.height;
  if (track.encoder && !track.encoder->add(picture, begin_us())) track.encoder.reset();
}

void Film::take(AVFrame& frame) {
  if (next_ >= job_.clip->begins_us.size()) return;
  if (last_pts_ != frame.pts) {
    std::vector<bool> done(job_.outputs.size());
    bool shown = false;
    for (std::size_t i = 0; i < job_.outputs.size(); ++i) {
      if (done[i]) continue;
      const auto picture = picture_for(frame, i);
      for (std::size_t other = i; other < job_.outputs.size() && !picture.rgb.empty(); ++other) {
        if (done[other] || !same_size(job_.outputs[i], job_.outputs[other])) continue;
        done[other] = shown = true;
        encode(picture, other);
      }
    }
    if (shown) last_pts_ = frame.pts;
    begun_ = begun_ || shown;
  }
  ++next_;
}

void Film::skip_to(std::size_t picture) {
  next_ = picture;
  last_pts_.reset();
}

Reply Film::finish() {
  Reply reply;
  for (std::size_t i = 0; i < tracks_.size() && begun_; ++i) {
    auto& track = tracks_[i];
    auto bytes = track.encoder ? track.encoder->finish(job_.clip->length_us) : std::nullopt;
    if (!bytes) {
      reply.verdict = Verdict::unsupported;
      continue;
    }
    reply.images.push_back({0, static_cast<std::uint16_t>(i), track.width, track.height, std::move(*bytes)});
  }
  if (reply.verdict == Verdict::done && reply.images.empty()) reply.verdict = Verdict::no_picture;
  return reply;
}

}  // namespace lookback::server::pictures::worker
