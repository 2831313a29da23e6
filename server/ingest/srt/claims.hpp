#pragma once
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace lookback::server::srt {

/// Places on streams that callers have been promised in a handshake and do not hold yet: between the two, a
/// second caller for the same place would be let in as well, and then closed without a code. Thread-safe.
class Claims : public std::enable_shared_from_this<Claims> {
 public:
  /// The promise; gone with its last copy.
  using Claim = std::shared_ptr<const void>;

  /// Null: another has it.
  Claim take(const std::string& place) {
    const std::lock_guard lock(mutex_);
    if (!places_.insert(place).second) return nullptr;
    return {this, [self = shared_from_this(), place](const void*) { self->release(place); }};
  }

 private:
  void release(const std::string& place) {
    const std::lock_guard lock(mutex_);
    places_.erase(place);
  }

  std::mutex mutex_;
  std::set<std::string> places_;
};

}  // namespace lookback::server::srt
