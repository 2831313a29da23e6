#include "packager/hls/presentation_builder.hpp"

#include <algorithm>

#include "packager/hls/gzip.hpp"
#include "packager/hls/lazy.hpp"
#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

/// Immutable and thread-safe.
class BoundPresentation final : public Presentation {
 public:
  BoundPresentation(std::string generation, std::vector<PresentationTrack> tracks)
      : generation_(std::move(generation)), tracks_(std::move(tracks)) {
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

  Rendered multivariant(Coding coding, std::string_view query) const override {
    const auto& text = text_.get([this] { return multivariant_text(tracks_); });
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
  std::vector<std::shared_ptr<const Rendition>> renditions_;
  Lazy<std::string> text_;
};

}  // namespace

std::shared_ptr<const Presentation> make_presentation(std::string generation,
                                                      std::vector<PresentationTrack> tracks) {
  return std::make_shared<const BoundPresentation>(std::move(generation), std::move(tracks));
}

}  // namespace lookback::packager::hls
