#include "server/ingest/admissions.hpp"

namespace lookback::server {

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

}  // namespace lookback::server
