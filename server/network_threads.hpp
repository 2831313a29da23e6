#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace lookback::server {

/// The network threads: one io_context each, kept running until `release`. Belongs to the thread that made
/// it.
class NetworkThreads {
 public:
  explicit NetworkThreads(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      owned_.push_back(std::make_unique<boost::asio::io_context>(1));
      guards_.push_back(boost::asio::make_work_guard(*owned_.back()));
      contexts_.push_back(owned_.back().get());
    }
  }
  const std::vector<boost::asio::io_context*>& contexts() const { return contexts_; }
  void start() {
    for (auto* context : contexts_) threads_.emplace_back([context] { context->run(); });
  }
  /// Lets each end when it has nothing left to do.
  void release() { guards_.clear(); }
  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::unique_ptr<boost::asio::io_context>> owned_;
  std::vector<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
  std::vector<boost::asio::io_context*> contexts_;
  std::vector<std::thread> threads_;
};

}  // namespace lookback::server
