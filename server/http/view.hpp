#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "packager/hls/names.hpp"
#include "server/archive/view_request.hpp"
#include "server/http/exchange.hpp"

/// Presentations as a request's view parameters show them: streams and recordings alike.
namespace lookback::server::http {

/// The wall clock of the site: Unix us.
std::int64_t now_us(const Exchange& exchange);

/// Answers with a problem document (RFC 9457).
void answer_problem(Exchange& exchange, const archive::Problem& problem);

/// The view that the request's own parameters ask for. Empty: there is an answer already, a problem or the
/// redirect of a relative time to the absolute one.
std::optional<archive::ViewRequest> take_view(Exchange& exchange);

/// 302 to `leaf` of the stream `folder` ("live/news") with the request's canonical query; parameters that are
/// not ours go along, delivery directives do not. Errors of the request become problems.
void redirect_to_view(Exchange& exchange, std::string_view folder, std::string_view leaf,
                      const archive::ViewRequest& request);

struct Viewed {
  PresentationPtr presentation;  ///< null: there is an answer already
  std::uint32_t max_age_s = 1;   ///< of its playlists
};
/// `presentation` (not null) as it is through the view now.
Viewed see(Exchange& exchange, const archive::ViewRequest& request, const PresentationPtr& presentation);

/// The playlist of a rendition or of its I-frames. Null: the presentation has none.
std::shared_ptr<const packager::hls::Rendition> find_rendition(
    const packager::hls::Presentation& presentation, const packager::hls::Name& name);

/// Answers with a text of ours, which is compressed where the client takes that.
void answer_text(Exchange& exchange, std::string_view content_type, std::string text,
                 std::uint32_t max_age_s);

/// Answers with the multivariant playlist, as the request's view parameters want it. `stream`: whose media it
/// is.
void answer_multivariant(Exchange& exchange, const PresentationPtr& presentation, std::string_view stream);
/// Answers with a playlist as it is now. `directives`: those that the playlist takes.
void answer_playlist(Exchange& exchange, const packager::hls::Rendition& rendition,
                     const Directives& directives, std::uint32_t max_age_s);

/// Answers with a playlist, or waits until it has what the request's directives name. `rendition` null: 404.
Next answer_reload(Exchange& exchange, const std::shared_ptr<const packager::hls::Rendition>& rendition,
                   std::uint32_t max_age_s);

/// Answers with `ranges.json`. `presentation` may be null.
void answer_ranges(Exchange& exchange, std::string_view stream,
                   const packager::hls::Presentation* presentation);

}  // namespace lookback::server::http
