#include "server/http/server.hpp"

#include <boost/asio/post.hpp>
#include <cassert>
#include <csignal>
#include <utility>

#include "server/acceptors.hpp"
#include "server/http/connection.hpp"
#include "server/http/worker.hpp"
#include "server/listen_address.hpp"

namespace lookback::server::http {

namespace asio = boost::asio;

Result<std::unique_ptr<Server>> Server::open(std::vector<asio::io_context*> contexts, Options options,
                                             Site site) {
  assert(contexts.size() == site.hub.threads());
  const auto address = parse_listen_address(options.listen);
  if (!address) return address.error();
  auto acceptors = open_acceptors(contexts, *address);
  if (!acceptors) return acceptors.error();
  boost::system::error_code ec;
  const auto endpoint = acceptors->front().local_endpoint(ec);
  if (ec) return ec;
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR)
    return boost::system::error_code(errno, boost::system::system_category());

  std::unique_ptr<Server> server(new Server);
  server->port_ = endpoint.port();
  server->contexts_ = std::move(contexts);
  const auto shared = std::make_shared<Shared>(std::move(options), std::move(site));
  for (std::size_t i = 0; i < server->contexts_.size(); ++i) {
    auto& shard = shared->site.hub.shard(i);
    server->workers_.push_back(
        std::make_shared<Worker>(*server->contexts_[i], std::move((*acceptors)[i]), shard, shared));
    server->workers_.back()->start();
  }
  return server;
}

Server::~Server() = default;

void Server::stop() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    asio::post(*contexts_[i], [worker = workers_[i]] { worker->stop(); });
  }
}

CounterTotals Server::counters() const {
  CounterTotals totals;
  for (const auto& worker : workers_) {
    const auto& counters = worker->counters;
    for (std::size_t i = 0; i < totals.responses.size(); ++i)
      totals.responses[i] += counters.responses[i].value();
    totals.bytes_sent += counters.bytes_sent.value();
    totals.connections_accepted += counters.connections_accepted.value();
    totals.connections_refused += counters.connections_refused.value();
    totals.connections += counters.connections.value();
    totals.waiting += counters.waiting.value();
    totals.timeouts += counters.timeouts.value();
    totals.read_errors += counters.read_errors.value();
    totals.accept_errors += counters.accept_errors.value();
  }
  return totals;
}

}  // namespace lookback::server::http
