#include <boost/asio/any_io_executor.hpp>
#include <optional>

#include "server/api/api.hpp"
#include "server/api/json.hpp"
#include "server/base/call_on.hpp"
#include "server/http/routes.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;

constexpr std::string_view api_prefix = "/api/v1/";

std::optional<api::Verb> verb_of(Method method) {
  switch (method) {
    case Method::get:
    case Method::head:
      return api::Verb::get;
    case Method::post:
      return api::Verb::post;
    case Method::put:
      return api::Verb::put;
    case Method::patch:
      return api::Verb::patch;
    case Method::remove:
      return api::Verb::remove;
    case Method::options:
    case Method::other:
      break;
  }
  return std::nullopt;
}

/// "application/json", with or without parameters. A page of another origin cannot send this without asking
/// (CORS), so a form that a browser sends by itself is refused.
bool is_json(std::string_view content_type) {
  constexpr std::string_view wanted = "application/json";
  const auto type = content_type.substr(0, content_type.find_first_of("; "));
  return std::equal(type.begin(), type.end(), wanted.begin(), wanted.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

void answer_problem(Exchange& exchange, const api::Problem& problem) {
  std::string errors;
  if (!problem.errors.empty()) {
    boost::json::array items;
    for (const auto& error : problem.errors)
      items.push_back({{"pointer", error.pointer}, {"detail", error.detail}});
    errors = api::to_text(items);
  }
  auto& response = exchange.response;
  response = problem_with(problem.status, problem.detail, errors);
  response.caching = {};
  response.shared = false;
  response.authenticate = problem.status == 401;
  if (problem.status == 405) response.allow = "GET, HEAD, POST, PATCH, DELETE, OPTIONS";
}

void answer_reply(Exchange& exchange, const api::Reply& reply) {
  auto& response = exchange.response;
  response.status = reply.status;
  response.location = reply.location;
  response.etag = reply.etag;
  if (reply.body.is_null()) return;
  response.content_type = "application/json";
  response.body = Chain{make_slice(api::to_text(reply.body) + "\n")};
}

api::Caller caller_of(const Exchange& exchange) {
  const auto& request = exchange.request;
  return {.authorization = request.authorization,
          .host = request.host,
          .origin = request.origin,
          .loopback = exchange.peer.is_loopback(),
          .forwarded = request.forwarded};
}

}  // namespace

asio::awaitable<void> api_route(Exchange& exchange) {
  const auto& site = exchange.site;
  auto& request = exchange.request;
  const auto verb = verb_of(request.method);
  const auto path = exchange.target.path();
  if (!site.api || !site.access || !verb || !path.starts_with(api_prefix)) {
    exchange.answer(404, "the API is below /api/v1/");
    co_return;
  }
  exchange.response.shared = false;
  const auto granted = site.access->judge(caller_of(exchange));
  if (!granted) {
    answer_problem(exchange, granted.error());
    co_return;
  }
  if (!request.body.empty() && !is_json(request.content_type)) {
    answer_problem(exchange, {415, "the body must be JSON; send Content-Type: application/json"});
  } else {
    api::Call call;
    call.verb = *verb;
    call.path = path.substr(api_prefix.size());
    call.query = exchange.target.query();
    call.body = request.body;
    call.if_match = request.if_match;
    call.role = granted->role;
    request.if_none_match.clear();  // the tag is the settings', not the whole answer's
    auto work = [api = site.api, call = std::move(call)]() mutable { return api->handle(std::move(call)); };
    const asio::any_io_executor pool = site.blocking.get_executor();
    const auto reply = co_await call_on<api::Outcome<api::Reply>>(pool, std::move(work));
    if (reply) {
      answer_reply(exchange, *reply);
    } else {
      answer_problem(exchange, reply.error());
    }
  }
  exchange.response.shared = granted->by_token;  // who knows the token may read it from any origin
}

}  // namespace lookback::server::http
