#include "server/http/field_values.hpp"
#include "server/http/routes.hpp"

namespace lookback::server::http {
namespace {

void answer_asset(Exchange& exchange, const Asset& asset) {
  const bool gzip = !asset.gzip.empty() && accepts_gzip(exchange.request.accept_encoding);
  auto& response = exchange.response;
  response.content_type = asset.content_type;
  response.varies = !asset.gzip.empty();
  response.gzip = gzip;
  response.page = asset.content_type.starts_with("text/html");
  response.caching = asset.immutable ? Caching::forever() : Caching::for_seconds(60);
  response.body = gzip ? asset.gzip : asset.body;
  response.etag = asset.etag;
  // A strong tag names one sequence of bytes: the compressed one has its own (RFC 9110 8.8.3.3).
  if (gzip && response.etag.ends_with('"')) response.etag.insert(response.etag.size() - 1, "-gzip");
}

bool answer_asset(Exchange& exchange, std::string_view path) {
  for (const auto& asset : exchange.site.assets) {
    if (asset.path != path) continue;
    answer_asset(exchange, asset);
    return true;
  }
  return false;
}

void answer_text(Exchange& exchange, std::string_view text) {
  exchange.response.content_type = "text/plain; charset=utf-8";
  exchange.response.body = text;
}

}  // namespace

bool page_route(Exchange& exchange) {
  const auto& target = exchange.target;
  if (target.components() == 0) return answer_asset(exchange, "/index.html");
  const auto first = target.component(0);
  if (target.components() == 1 && first == "livez") {
    answer_text(exchange, "ok\n");
    return true;
  }
  if (target.components() == 1 && first == "readyz") {
    if (exchange.site.ready()) {
      answer_text(exchange, "ok\n");
    } else {
      exchange.answer(503, "not ready to serve yet");
    }
    return true;
  }
  if (target.components() >= 2 && (first == "watch" || first == "embed")) {
    return answer_asset(exchange, "/watch.html");
  }
  return answer_asset(exchange, target.path());
}

}  // namespace lookback::server::http
