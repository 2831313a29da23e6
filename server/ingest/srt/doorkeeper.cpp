#include "server/ingest/srt/doorkeeper.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "server/ingest/loggable.hpp"
#include "server/ingest/peer.hpp"
#include "server/ingest/srt/reject.hpp"
#include "server/ingest/srt/stream_id.hpp"

namespace lookback::server::srt {
namespace {

using Clock = std::chrono::steady_clock;

/// The rest of a handshake takes one round trip: whoever is not accepted by then has the wrong passphrase.
/// The place in the stream is kept for a shorter time: a caller that failed, or another one, may try again
/// soon.
constexpr std::chrono::seconds handshake_time{5}, claim_time{1};

}  // namespace

void Common::warn(const std::string& line) {
  const auto held_back = log_gate.pass(Clock::now());
  if (!held_back) return;
  spdlog::warn("srt: {}{}", line,
               *held_back == 0 ? "" : fmt::format(" ({} more such lines held back)", *held_back));
}

Doorkeeper::Decision Doorkeeper::decide(Id id, const boost::asio::ip::udp::endpoint& peer,
                                        std::string_view stream_id, const std::string& fixed) {
  std::string asked;
  auto terms = let_in(id, peer, stream_id, fixed, asked);
  if (terms) return {0, std::move(terms->srt_passphrase)};
  const auto code = reject_code(terms.error());
  const auto stream = loggable_stream(asked);
  common_->warn(fmt::format("{} refused{}{} with code {}: {}",
                            peer_name(plain_address(peer.address()), peer.port()),
                            stream.empty() ? "" : ", stream ", stream, code, terms.error().message()));
  return {code, {}};
}

Result<PublishTerms> Doorkeeper::let_in(Id id, const boost::asio::ip::udp::endpoint& peer,
                                        std::string_view stream_id, const std::string& fixed,
                                        std::string& asked) {
  auto wanted = parse_stream_id(stream_id, fixed);
  if (!wanted) return wanted.error();
  asked = wanted->stream;
  const auto address = plain_address(peer.address());
  PublishRequest request{.stream = std::move(wanted->stream),
                         .key = std::move(wanted->key),
                         .peer = peer_name(address, peer.port()),
                         .from_loopback = address.is_loopback(),
                         .protocol = "srt",
                         .encoder = loggable(wanted->encoder),
                         .backup = wanted->backup,
                         .rendition = std::move(wanted->rendition)};
  auto terms = common_->guard.check(request);
  if (!terms) return terms.error();

  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  forget_old_guests(now);
  guests_.erase(id);
  // Who cannot show the passphrase never comes in, and must not keep the place of one who can.
  Claims::Claim claim;
  if (terms->srt_passphrase.empty()) {
    claim = claims_->take(request.stream + '@' + request.rendition + (request.backup ? "?backup" : ""));
    if (!claim) return request.backup ? Errc::already_backed_up : Errc::already_publishing;
  }
  auto ticket = common_->admissions->admit(address);
  if (!ticket) return Errc::too_many_connections;
  guests_.emplace(id, Guest{std::move(request), std::move(*ticket), now, std::move(claim)});
  return terms;
}

void Doorkeeper::forget_old_guests(Clock::time_point now) {
  std::erase_if(guests_, [&](const auto& guest) { return now - guest.second.since > handshake_time; });
  for (auto& [id, guest] : guests_)
    if (now - guest.since > claim_time) guest.claim.reset();
}

std::optional<Guest> Doorkeeper::take(Id id) {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(id);
  if (found == guests_.end()) return std::nullopt;
  std::optional<Guest> guest(std::move(found->second));
  guests_.erase(found);
  return guest;
}

}  // namespace lookback::server::srt
