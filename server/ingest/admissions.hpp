#pragma once
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "store/base/result.hpp"

namespace lookback::server {

/// Counts connections, all together and for each address. Thread-safe.
class Admissions : public std::enable_shared_from_this<Admissions> {
 public:
  /// One counted connection, until it is destroyed.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept = default;
    Ticket& operator=(Ticket&& other) = delete;
    ~Ticket();

   private:
    friend class Admissions;
    Ticket(std::shared_ptr<Admissions> admissions, boost::asio::ip::address address)
        : admissions_(std::move(admissions)), address_(address) {}

    std::shared_ptr<Admissions> admissions_;
    boost::asio::ip::address address_;
  };

  Admissions(std::size_t max_total, std::size_t max_per_address)
      : max_total_(max_total), max_per_address_(max_per_address) {}

  /// Empty: one of the bounds is reached.
  std::optional<Ticket> admit(const boost::asio::ip::address& address);
  std::size_t total() const;

 private:
  void release(const boost::asio::ip::address& address);

  const std::size_t max_total_, max_per_address_;
  mutable std::mutex mutex_;
  std::size_t total_ = 0;
  std::map<boost::asio::ip::address, std::size_t> by_address_;
};

}  // namespace lookback::server
