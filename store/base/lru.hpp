#pragma once
#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

namespace lookback {

/// Values by key up to a total weight (bytes, or a count); the one longest unused goes first. Its owner
/// guards it: not thread-safe.
template <class Key, class Value>
class Lru {
 public:
  explicit Lru(std::size_t max_weight) : max_weight_(max_weight) {}

  /// Counts as a use. Null: it is not there. Valid until the next `put` or `take`.
  Value* find(const Key& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return &found->second->value;
  }

  /// Takes the place of what `key` had. One that is heavier than everything may be is not kept.
  void put(Key key, Value value, std::size_t weight = 1) {
    take(key);
    if (weight > max_weight_) return;
    by_use_.push_front({std::move(key), std::move(value), weight});
    by_key_[by_use_.front().key] = by_use_.begin();
    weight_ += weight;
    while (weight_ > max_weight_) {
      weight_ -= by_use_.back().weight;
      by_key_.erase(by_use_.back().key);
      by_use_.pop_back();
    }
  }

  /// Removes it. Empty: it was not there.
  std::optional<Value> take(const Key& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    std::optional<Value> value(std::move(found->second->value));
    weight_ -= found->second->weight;
    by_use_.erase(found->second);
    by_key_.erase(found);
    return value;
  }

  std::size_t weight() const { return weight_; }

 private:
  struct Entry {
    Key key;
    Value value;
    std::size_t weight;
  };

  const std::size_t max_weight_;
  std::list<Entry> by_use_;  ///< newest first
  std::unordered_map<Key, typename std::list<Entry>::iterator> by_key_;
  std::size_t weight_ = 0;
};

}  // namespace lookback
