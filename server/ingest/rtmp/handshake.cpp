#include "server/ingest/rtmp/handshake.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <span>
#include <string_view>

#include "server/errc.hpp"
#include "server/ingest/rtmp/big_endian.hpp"

namespace lookback::server::rtmp {
namespace {

constexpr std::byte rtmp_version{3};
constexpr std::size_t packet_bytes = 1536;  // C1, S1, C2, S2
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t version_offset = 4;

/// The keys of both sides are public: a text, then 32 bytes that only the signature of S2/C2 uses.
constexpr std::string_view player_key_text = "Genuine Adobe Flash Player 001";
constexpr std::string_view server_key_text = "Genuine Adobe Flash Media Server 001";
constexpr std::array<unsigned char, 32> key_tail = {
    0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e, 0x57,
    0x6e, 0xec, 0x5d, 0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae};

using Digest = std::array<std::byte, digest_bytes>;

/// Where the two schemes keep the four bytes whose sum places the digest: scheme 0 in the first half of
/// the packet, scheme 1 in the second.
constexpr std::array<std::size_t, 2> scheme_offsets = {8, 772};
constexpr std::size_t digest_positions = 728;

Digest hmac_sha256(ByteSpan key, ByteSpan message) {
  Digest digest;
  unsigned int length = 0;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                          reinterpret_cast<unsigned char*>(digest.data()), &length);
  assert(made != nullptr && length == digest_bytes);
  (void)made;
  return digest;
}

std::size_t digest_position(ByteSpan packet, std::size_t scheme_offset) {
  std::size_t sum = 0;
  for (const auto byte : packet.subspan(scheme_offset, 4)) sum += std::to_integer<std::size_t>(byte);
  return sum % digest_positions + scheme_offset + 4;
}

/// HMAC over the packet without the digest's own 32 bytes.
Digest packet_digest(ByteSpan packet, std::size_t position, std::string_view key) {
  std::array<std::byte, packet_bytes - digest_bytes> rest;
  const auto middle = std::copy_n(packet.begin(), position, rest.begin());
  std::copy(packet.begin() + static_cast<std::ptrdiff_t>(position + digest_bytes), packet.end(), middle);
  return hmac_sha256(as_bytes(key), rest);
}

struct Found {
  std::size_t scheme_offset;
  Digest digest;
};

/// The digest of C1, when it has one; a zero version field says that it has none.
std::optional<Found> find_digest(ByteSpan c1) {
  if (load_be(c1.subspan(version_offset), 4) == 0) return std::nullopt;
  for (const auto scheme_offset : scheme_offsets) {
    const auto position = digest_position(c1, scheme_offset);
    const auto digest = packet_digest(c1, position, player_key_text);
    if (std::ranges::equal(digest, c1.subspan(position, digest_bytes))) return Found{scheme_offset, digest};
  }
  return std::nullopt;
}

void sign_s1(std::span<std::byte> s1, std::size_t scheme_offset) {
  const auto position = digest_position(s1, scheme_offset);
  std::ranges::copy(packet_digest(s1, position, server_key_text),
                    s1.begin() + static_cast<std::ptrdiff_t>(position));
}

/// The last 32 bytes of S2 sign the others with a key made of C1's digest.
void sign_s2(std::span<std::byte> s2, const Digest& c1_digest) {
  std::array<std::byte, server_key_text.size() + key_tail.size()> full_key;
  const auto tail = std::ranges::copy(as_bytes(server_key_text), full_key.begin()).out;
  std::ranges::copy(std::as_bytes(std::span(key_tail)), tail);
  const auto key = hmac_sha256(full_key, c1_digest);
  const auto signature = hmac_sha256(key, s2.first(packet_bytes - digest_bytes));
  std::ranges::copy(signature, s2.last(digest_bytes).begin());
}

}  // namespace

Result<bool> Handshake::feed(ByteSpan& input, std::vector<std::byte>& answer) {
  if (state_ == State::version && !input.empty()) {
    if (input.front() != rtmp_version) return Errc::bad_handshake;
    input = input.subspan(1);
    c1_.reserve(packet_bytes);
    state_ = State::c1;
  }
  if (state_ == State::c1 && collect(input)) {
    reply(answer);
    c1_ = {};
    c2_missing_ = packet_bytes;
    state_ = State::c2;
  }
  if (state_ == State::c2) {
    // Peers disagree about what C2 repeats, so its content decides nothing.
    const auto taken = std::min(c2_missing_, input.size());
    input = input.subspan(taken);
    c2_missing_ -= taken;
    if (c2_missing_ == 0) state_ = State::done;
  }
  return state_ == State::done;
}

bool Handshake::collect(ByteSpan& input) {
  const auto part = input.first(std::min(packet_bytes - c1_.size(), input.size()));
  c1_.insert(c1_.end(), part.begin(), part.end());
  input = input.subspan(part.size());
  return c1_.size() == packet_bytes;
}

void Handshake::reply(std::vector<std::byte>& answer) {
  const auto digest = find_digest(c1_);
  answer.push_back(rtmp_version);
  const auto s1_start = answer.size();
  put_be(0, 4, answer);                          // our time begins with the session
  put_be(digest ? 0x03050101u : 0u, 4, answer);  // a version of the media server that signs
  append_random(packet_bytes - 8, answer);
  if (!digest) {
    answer.insert(answer.end(), c1_.begin(), c1_.end());  // S2 repeats C1
    return;
  }
  sign_s1(std::span(answer).subspan(s1_start, packet_bytes), digest->scheme_offset);
  const auto s2_start = answer.size();
  append_random(packet_bytes, answer);
  sign_s2(std::span(answer).subspan(s2_start, packet_bytes), digest->digest);
}

void Handshake::append_random(std::size_t count, std::vector<std::byte>& out) {
  for (std::size_t i = 0; i < count; ++i) {
    // The generator "splitmix64" of Steele, Lea and Flood, 2014; one byte of each step.
    random_ += 0x9e3779b97f4a7c15;
    auto mixed = random_;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    out.push_back(static_cast<std::byte>(mixed >> 56));
  }
}

}  // namespace lookback::server::rtmp
