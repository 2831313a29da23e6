#include "server/ingest/rtmp/admissions.hpp"

#include <boost/asio/ip/address_v4.hpp>

namespace lookback::server::rtmp {

Admissions::Ticket::~Ticket() {
  if (admissions_) admissions_->release(address_);
}

std::optional<Admissions::Ticket> Admissions::admit(const boost::asio::ip::address& address) {
  const std::lock_guard lock(mutex_);
  if (total_ >= max_total_) return std::nullopt;
  auto& of_address = by_address_[address];
  if (of_address >= max_per_address_) return std::nullopt;
  ++of_address;
  ++total_;
  return Ticket(shared_from_this(), address);
}

std::size_t Admissions::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

void Admissions::release(const boost::asio::ip::address& address) {
  const std::lock_guard lock(mutex_);
  --total_;
  const auto found = by_address_.find(address);
  if (--found->second == 0) by_address_.erase(found);
}

boost::asio::ip::address plain_address(const boost::asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
}

}  // namespace lookback::server::rtmp
