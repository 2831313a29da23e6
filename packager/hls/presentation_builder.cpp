#include "packager/hls/presentation_builder.hpp"

#include <algorithm>
#include <mutex>

#include "packager/hls/gzip.hpp"
#include "packager/hls/lazy.hpp"
#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

/// The views of one presentation that somebody has asked for. Bounded: too many, and it starts anew.
/// Thread-safe.
class ViewCache {
 public:
  using Value = std::shared_ptr<const Presentation>;

  std::optional<Value> find(const View& view) const {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(known_.begin(), known_.end(), [&](const auto& k) { return k.first == view; });
    return found == known_.end() ? std::nullopt : std::optional(found->second);
  }
  /// Returns the one that others may already have.
  Value keep(const View& view, Value value) const {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(known_.begin(), known_.end(), [&](const auto& k) { return k.first == view; });
    if (found != known_.end()) return found->second;
    if (known_.size() == max_views) known_.clear();
    known_.emplace_back(view, value);
    return value;
  }

 private:
  static constexpr std::size_t max_views = 64;
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<View, Value>> known_;
};

/// Immutable and thread-safe.
class BoundPresentation final : public Presentation {
 public:
  BoundPresentation(std::string generation, std::vector<PresentationTrack> tracks, View view)
      : generation_(std::move(generation)), tracks_(std::move(tracks)), view_(std::move(view)) {
    for (const auto& track : tracks_) renditions_.push_back(track.rendition);
  }

  const std::vector<std::shared_ptr<const Rendition>>& renditions() const override { return renditions_; }
  const std::string& generation() const override { return generation_; }

  std::shared_ptr<const Rendition> rendition(std::string_view name) const override {
    const auto* track = find(name);
    return track ? track->rendition : nullptr;
  }

  std::optional<Slice> init(std::string_view name, std::uint32_t id) const override {
    const auto* track = find(name);
    if (!track || !track->inits) return {};
    const auto init = track->inits->find(id);
    return init == track->inits->end() ? std::nullopt : std::optional(init->second);
  }

  std::shared_ptr<const Presentation> view(const View& view) const override {
    if (auto known = views_.find(view)) return *known;
    auto tracks = tracks_;
    for (auto& track : tracks) track.rendition = track.rendition->view(view);
    std::erase_if(tracks, [](const PresentationTrack& track) { return !track.rendition; });
    if (tracks.empty()) return nullptr;
    return views_.keep(view, std::make_shared<const BoundPresentation>(generation_, std::move(tracks), view));
  }

  std::shared_ptr<const Presentation> after(const Presentation& past) const override {
    auto tracks = tracks_;
    for (const auto& older : past.renditions()) {
      const auto same = [&](const auto& track) { return track.rendition->track() == older->track(); };
      const auto track = std::find_if(tracks.begin(), tracks.end(), same);
      if (track == tracks.end()) return nullptr;
      track->rendition = track->rendition->after(*older);
      if (!track->rendition) return nullptr;
    }
    return std::make_shared<const BoundPresentation>(generation_, std::move(tracks), View{});
  }

  Rendered multivariant(Coding coding, std::string_view query) const override {
    const auto& text = text_.get([this] { return multivariant_text(tracks_, view_); });
    auto body = query.empty() ? text : with_query(text, query);
    auto tag = "\"" + generation_ + "-multivariant-" + fingerprint(body);
    if (coding == Coding::identity) return {{make_slice(std::move(body))}, tag + '"'};
    return {gzip(body), tag + "-gzip\""};
  }

 private:
  const PresentationTrack* find(std::string_view name) const {
    const auto named = [name](const PresentationTrack& track) { return track.rendition->track() == name; };
    const auto found = std::find_if(tracks_.begin(), tracks_.end(), named);
    return found == tracks_.end() ? nullptr : &*found;
  }

  const std::string generation_;
  const std::vector<PresentationTrack> tracks_;
  const View view_;
  std::vector<std::shared_ptr<const Rendition>> renditions_;
  Lazy<std::string> text_;
  ViewCache views_;
};

}  // namespace

std::shared_ptr<const Presentation> make_presentation(std::string generation,
                                                      std::vector<PresentationTrack> tracks) {
  return std::make_shared<const BoundPresentation>(std::move(generation), std::move(tracks), View{});
}

}  // namespace lookback::packager::hls
