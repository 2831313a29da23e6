#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lookback {

/// Media bytes: written once, then immutable and shared by every reader on every thread.
using Bytes = std::shared_ptr<const std::vector<std::byte>>;
using ByteSpan = std::span<const std::byte>;

/// A piece of somebody's immutable bytes, together with what keeps them alive.
/// Copying costs one reference count. Thread-safe to share, as the bytes never change.
struct Slice {
  std::shared_ptr<const void> owner;
  ByteSpan bytes;

  std::size_t size() const { return bytes.size(); }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  /// `offset + count` must lie inside.
  Slice sub(std::size_t offset, std::size_t count) const { return {owner, bytes.subspan(offset, count)}; }
};

/// Slices that belong together in this order: a part, a segment, a playlist.
using Chain = std::vector<Slice>;

inline std::size_t size_of(const Chain& chain) {
  std::size_t sum = 0;
  for (const auto& slice : chain) sum += slice.size();
  return sum;
}

inline ByteSpan as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Slice make_slice(std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  const ByteSpan view(*owner);
  return {std::move(owner), view};
}

inline Slice make_slice(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const auto view = as_bytes(*owner);
  return {std::move(owner), view};
}

inline Slice make_slice(Bytes bytes) {
  const ByteSpan view(*bytes);
  return {std::move(bytes), view};
}

/// Joins a chain into one buffer: for tests and for cold paths.
inline std::vector<std::byte> flatten(const Chain& chain) {
  std::vector<std::byte> out;
  out.reserve(size_of(chain));
  for (const auto& slice : chain) out.insert(out.end(), slice.bytes.begin(), slice.bytes.end());
  return out;
}

}  // namespace lookback
