#pragma once
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/ingest/ingest.hpp"

/// An ingest whose streams only record.
namespace lookback::support {

using namespace std::chrono_literals;

/// A publication that keeps what it gets. Thread-safe.
class Recording : public server::Publication {
 public:
  Recording(server::PublishRequest asked, boost::asio::any_io_executor executor, std::function<void()> on_end)
      : request(std::move(asked)), executor_(std::move(executor)), on_end_(std::move(on_end)) {}

  bool push(std::vector<server::IngestEvent> events) override {
    const std::lock_guard lock(mutex_);
    if (!reason_.empty()) return false;
    for (auto& event : events) events_.push_back(std::move(event));
    changed_.notify_all();
    return true;
  }
  void close(std::string why) override {
    const std::lock_guard lock(mutex_);
    ++closes_;
    closed_ = std::move(why);
    changed_.notify_all();
  }
  std::string reason() const override {
    const std::lock_guard lock(mutex_);
    return reason_;
  }

  /// From now on `push` refuses.
  void refuse(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    reason_ = reason;
  }
  /// As a stream ends a publication.
  void end(const std::string& reason) {
    refuse(reason);
    boost::asio::post(executor_, on_end_);
  }
  std::vector<server::IngestEvent> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  template <class Condition>
  bool wait(Condition condition, std::chrono::milliseconds limit = 20s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return condition(events_.size(), closes_); });
  }
  bool wait_closed() {
    return wait([](std::size_t, int closes) { return closes == 1; });
  }
  std::string closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

  const server::PublishRequest request;

 private:
  const boost::asio::any_io_executor executor_;
  const std::function<void()> on_end_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<server::IngestEvent> events_;
  std::string reason_, closed_;
  int closes_ = 0;
};

/// Admits everybody, or refuses with one error. Thread-safe.
class RecordingIngest : public server::Ingest {
 public:
  boost::asio::awaitable<Result<std::shared_ptr<server::Publication>>> publish(
      server::PublishRequest request, boost::asio::any_io_executor executor,
      std::function<void()> on_end) override {
    const std::lock_guard lock(mutex_);
    if (error_) co_return *error_;
    auto made = std::make_shared<Recording>(std::move(request), std::move(executor), std::move(on_end));
    recordings_.push_back(made);
    changed_.notify_all();
    co_return std::shared_ptr<server::Publication>(std::move(made));
  }
  void refuse_with(boost::system::error_code error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
  }
  /// The publication number `index`, once it is there; null after the limit.
  std::shared_ptr<Recording> recording(std::size_t index = 0, std::chrono::milliseconds limit = 20s) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [&] { return recordings_.size() > index; });
    return recordings_.size() > index ? recordings_[index] : nullptr;
  }
  std::vector<std::shared_ptr<Recording>> recordings() const {
    const std::lock_guard lock(mutex_);
    return recordings_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<boost::system::error_code> error_;
  std::vector<std::shared_ptr<Recording>> recordings_;
};

}  // namespace lookback::support
