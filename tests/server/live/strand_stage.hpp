#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "server/live/live_stream.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace lookback::server::test {

/// A stream over a store of its own, whose strand is the test's own thread: it runs when the test waits.
class StrandStage {
 public:
  /// `age`: of the stream. `window`: what is stored of it.
  StrandStage(std::chrono::seconds age, std::shared_ptr<EffectiveSettings> settings,
              const store::Window& window = {}) {
    store::Options options;
    options.path = folder_.path();
    options.reserve_bytes = 0;
    store_ = std::move(*store::Store::open(options));
    auto record = store_->open_stream("live/x").value();
    record.epoch_us = clock_.now_us() - std::chrono::microseconds(age).count();
    stream = std::make_shared<LiveStream>(LiveServices{*store_, hub_, clock_}, context_.get_executor(),
                                          record, std::move(settings), window);
    stream->start();
  }
  ~StrandStage() {
    stream->stop();
    (void)until([] { return false; }, std::chrono::milliseconds(50));
  }

  Result<std::shared_ptr<LivePublication>> admit(PublishRequest request) {
    request.stream = "live/x";
    return stream->admit(
        std::move(request), context_.get_executor(), [] {}, 64 << 20);
  }
  /// Runs the strand until the condition holds.
  bool until(const std::function<bool()>& condition,
             std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    return support::eventually(
        [&] {
          context_.restart();
          context_.poll();
          return condition();
        },
        limit);
  }

  std::shared_ptr<LiveStream> stream;

 protected:
  store::Store& store() { return *store_; }

 private:
  support::TempDir folder_;
  boost::asio::io_context context_{1};
  WallClock clock_;
  Hub hub_{{&context_}};
  std::unique_ptr<store::Store> store_;
};

}  // namespace lookback::server::test
