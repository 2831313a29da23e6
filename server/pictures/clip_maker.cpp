#include "server/pictures/clip_maker.hpp"

#include <utility>

#include "server/pictures/errc.hpp"

namespace lookback::server::pictures {
namespace {

Purpose purpose_of(ImageFormat format) { return format == ImageFormat::mp4 ? Purpose::mp4 : Purpose::clip; }

}  // namespace

std::string ClipMaker::key_of(const ClipMoment& moment, ImageFormat format) {
  return moment.stream + "/" + moment.name() + std::string(ending_of(format));
}

boost::asio::awaitable<ClipMaker::Outcome> ClipMaker::get(ClipMoment moment, ImageFormat format) {
  auto key = key_of(moment, format);
  std::function<void()> start = [this, moment = std::move(moment), format] { begin(moment, format, {}); };
  return cache_.get_or(std::move(key), std::move(start));
}

void ClipMaker::make_ahead(const ClipMoment& moment, ImageFormat format, std::function<void()> done) {
  if (cache_.claim(key_of(moment, format))) return begin(moment, format, std::move(done));
  done();
}

void ClipMaker::begin(const ClipMoment& moment, ImageFormat format, std::function<void()> done) {
  OrderPtr order;
  {
    const std::lock_guard lock(mutex_);
    auto& waiting = waiting_[moment.stream + "/" + moment.name()];
    const bool is_new = !waiting;
    if (is_new) {
      waiting = std::make_shared<Order>();
      waiting->moment = moment;
      waiting->name = moment.stream + "/" + moment.name();
      order = waiting;
    }
    waiting->formats.push_back(format);
    waiting->keys.push_back(key_of(moment, format));
    if (done) waiting->notify.push_back(std::move(done));
    if (!is_new) return;
  }
  auto prepare = [this, order]() -> Result<Job> {
    close(*order);
    return read_clip(media_, order->moment, order->formats, options());
  };
  workers_.submit(purpose_of(format), std::move(prepare),
                  [this, order](Result<Reply> reply) { finish(*order, std::move(reply)); });
}

void ClipMaker::close(const Order& order) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(order.name);
  if (found != waiting_.end() && found->second.get() == &order) waiting_.erase(found);
}

void ClipMaker::finish(const Order& order, Result<Reply> reply) {
  close(order);  // it may have been refused before it began
  std::vector<Outcome> outcomes(order.keys.size(), reply ? Errc::no_picture : reply.error());
  if (reply) {
    for (auto& image : reply->images)
      if (image.output < outcomes.size()) outcomes[image.output] = make_slice(std::move(image.bytes));
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) cache_.finish(order.keys[i], std::move(outcomes[i]));
  for (const auto& notify : order.notify) notify();
}

}  // namespace lookback::server::pictures
