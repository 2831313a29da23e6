#include "server/http/view.hpp"

#include <chrono>

#include "packager/hls/gzip.hpp"
#include "packager/hls/text.hpp"
#include "server/archive/ranges.hpp"
#include "server/archive/view_resolve.hpp"
#include "server/http/field_values.hpp"
#include "server/http/storyboard_route.hpp"

namespace lookback::server::http {
namespace {

namespace hls = packager::hls;

constexpr std::uint32_t blocking_cache_durations = 6;  // Apple's low-latency profile
constexpr std::uint32_t alias_max_age_s = 60;

hls::Coding coding(const Exchange& exchange) {
  return accepts_gzip(exchange.request.accept_encoding) ? hls::Coding::gzip : hls::Coding::identity;
}

void answer_with(Exchange& exchange, std::string_view content_type, hls::Rendered rendered,
                 hls::Coding coding, std::uint32_t max_age_s) {
  auto& response = exchange.response;
  response.content_type = content_type;
  response.varies = true;
  response.gzip = coding == hls::Coding::gzip;
  response.etag = std::move(rendered.etag);
  response.body = std::move(rendered.body);
  response.caching = Caching::for_seconds(max_age_s);
}

constexpr std::string_view playlist_type = "application/vnd.apple.mpegurl";

/// Whether the playlist as it is now is the one that the directives name, so that every cache may give it
/// to everyone who asks for the same.
bool is_exactly(const hls::Rendition& rendition, const Directives& wanted) {
  if (!wanted.msn) return false;
  if (!wanted.part) return rendition.last_msn() == wanted.msn;
  const auto last = rendition.last_part();
  if (!last) return false;
  if (*last == hls::PartId{*wanted.msn, *wanted.part}) return true;
  const bool rolled_over =
      rendition.last_msn() == wanted.msn && last->msn == *wanted.msn + 1 && last->part == 0;
  return rolled_over && *wanted.part > 0 && !rendition.part({*wanted.msn, *wanted.part});
}

}  // namespace

std::int64_t now_us(const Exchange& exchange) {
  if (exchange.site.now_us) return exchange.site.now_us();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

void answer_problem(Exchange& exchange, const archive::Problem& problem) {
  exchange.answer(problem.status, problem.detail);
}

void redirect_to_view(Exchange& exchange, std::string_view folder, std::string_view leaf,
                      const archive::ViewRequest& request) {
  const auto query = archive::canonical_query(request, now_us(exchange));
  if (!query) return answer_problem(exchange, query.error());
  auto& response = exchange.response;
  response.status = 302;
  response.caching = Caching::for_seconds(request.moves() ? 1 : alias_max_age_s);
  response.location.append("/").append(folder).append("/").append(leaf).append("?").append(*query);
  const auto foreign = exchange.target.foreign();
  if (!foreign.empty()) response.location.append("&").append(foreign);
}

std::optional<archive::ViewRequest> take_view(Exchange& exchange) {
  const auto& target = exchange.target;
  if (target.own().empty()) return archive::ViewRequest{};
  const auto request = archive::parse_view(target.own());
  if (!request) {
    answer_problem(exchange, request.error());
    return {};
  }
  if (!request->moves()) return *request;
  redirect_to_view(exchange, target.prefix(target.components() - 1), target.leaf(), *request);
  return {};
}

Viewed see(Exchange& exchange, const archive::ViewRequest& request, const PresentationPtr& presentation) {
  if (request.empty()) return {presentation, 1};
  const auto resolved = archive::resolve(request, *presentation, now_us(exchange));
  if (!resolved) {
    answer_problem(exchange, resolved.error());
    return {};
  }
  auto viewed = presentation->view(resolved->view);
  if (!viewed) exchange.answer(404, "nothing of this range is stored; ranges.json tells what is");
  return {std::move(viewed), resolved->max_age_s};
}

std::shared_ptr<const hls::Rendition> find_rendition(const hls::Presentation& presentation,
                                                     const hls::Name& name) {
  auto rendition = presentation.rendition(name.track);
  return rendition && name.kind == hls::Name::Kind::iframes ? rendition->iframes() : rendition;
}

void answer_text(Exchange& exchange, std::string_view content_type, std::string text,
                 std::uint32_t max_age_s) {
  const auto as = coding(exchange);
  const bool zipped = as == hls::Coding::gzip;
  hls::Rendered rendered;
  rendered.etag.append("\"").append(hls::fingerprint(text)).append(zipped ? "-gzip\"" : "\"");
  rendered.body = zipped ? hls::gzip(text) : Chain{make_slice(std::move(text))};
  answer_with(exchange, content_type, std::move(rendered), as, max_age_s);
}

void answer_multivariant(Exchange& exchange, const PresentationPtr& presentation, std::string_view stream) {
  const auto request = take_view(exchange);
  if (!request) return;
  const auto viewed = see(exchange, *request, presentation);
  if (!viewed.presentation) return;
  const auto images = image_streams(exchange, *viewed.presentation, stream);
  if (!images.empty()) {
    auto text = viewed.presentation->multivariant(hls::Coding::identity, exchange.target.foreign());
    auto whole = std::string(text.body.front().text()) + images;
    return answer_text(exchange, playlist_type, std::move(whole), viewed.max_age_s);
  }
  const auto as = coding(exchange);
  answer_with(exchange, playlist_type, viewed.presentation->multivariant(as, exchange.target.foreign()), as,
              viewed.max_age_s);
}

void answer_playlist(Exchange& exchange, const hls::Rendition& rendition, const Directives& directives,
                     std::uint32_t max_age_s) {
  const auto as = coding(exchange);
  if (is_exactly(rendition, directives))
    max_age_s = blocking_cache_durations * rendition.timing().target_duration_s;
  answer_with(exchange, playlist_type, rendition.playlist(directives.skip, as, exchange.target.foreign()), as,
              max_age_s);
}

void answer_ranges(Exchange& exchange, std::string_view stream, const hls::Presentation* presentation) {
  const auto& recordings_of = exchange.site.recordings_of;
  const auto recordings =
      recordings_of ? recordings_of(std::string(stream)) : std::vector<archive::RecordedRange>{};
  answer_text(exchange, "application/json", archive::ranges_json(stream, presentation, recordings), 1);
}

}  // namespace lookback::server::http
