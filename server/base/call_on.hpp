#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace lookback::server {

/// Runs `work` on `executor` (another strand, or a pool for blocking calls) and resumes the calling coroutine
/// on its own executor with the result. Keeps the caller's context alive meanwhile; not cancellable: `work`
/// must be short or bounded. R: movable.
template <class R, class Work>
boost::asio::awaitable<R> call_on(boost::asio::any_io_executor executor, Work work) {
  namespace asio = boost::asio;
  auto initiate = [](auto handler, asio::any_io_executor there, Work job) {
    auto here =
        asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
    asio::post(there, [here = std::move(here), handler = std::move(handler), job = std::move(job)]() mutable {
      auto result = job();
      asio::post(here, [handler = std::move(handler), result = std::move(result)]() mutable {
        std::move(handler)(std::move(result));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(R)>(
      initiate, asio::use_awaitable, std::move(executor), std::move(work));
}

}  // namespace lookback::server
