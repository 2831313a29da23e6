#include "server/ingest/srt/pull/options.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "server/ingest/query_text.hpp"

namespace lookback::server::srt {
namespace {

constexpr std::string_view scheme = "srt://";
constexpr std::size_t max_host_bytes = 253;       // of a DNS name
constexpr std::size_t max_stream_id_bytes = 512;  // SRTO_STREAMID
constexpr int max_latency_ms = 30'000;            // as srt.latency

PullUrl wrong(std::string complaint) { return {std::nullopt, std::move(complaint)}; }

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && stopped == end;
}

/// "host:port" or "[address]:port". False: neither.
bool read_host(std::string_view text, PullTarget& target) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !read_number(text.substr(colon + 1), target.port)) return false;
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return false;
  }
  const auto allowed = [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != '@' && c != '['; };
  target.host = host;
  return target.port != 0 && !host.empty() && host.size() <= max_host_bytes &&
         std::ranges::all_of(host, allowed);
}

/// What is wrong with a parameter; empty: nothing.
std::string take(std::string_view name, const std::string& value, PullTarget& target) {
  if (name == "streamid") {
    if (value.size() > max_stream_id_bytes) return "streamid may have 512 bytes";
    target.stream_id = value;
  } else if (name == "passphrase") {
    if (value.size() < 10 || value.size() > 79) return "passphrase must have 10 to 79 characters";
    target.passphrase = value;
  } else if (name == "latency") {
    int latency = 0;
    if (!read_number(std::string_view(value), latency) || latency < 0 || latency > max_latency_ms)
      return "latency is in milliseconds, 0 to 30000";
    target.latency = std::chrono::milliseconds(latency);
  } else if (name == "mode") {
    if (value != "caller") return "mode can only be caller: lookback calls, the remote side listens";
  } else {
    return "an unknown parameter; known are streamid, passphrase, latency";
  }
  return {};
}

}  // namespace

std::string PullTarget::address() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return std::string(scheme) + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

PullUrl parse_pull_url(std::string_view url) {
  constexpr auto form = "must be srt://HOST:PORT?streamid=...&passphrase=...&latency=MILLISECONDS";
  if (!url.starts_with(scheme)) return wrong(form);
  url.remove_prefix(scheme.size());
  const auto mark = url.find('?');
  auto authority = url.substr(0, mark);
  if (authority.ends_with('/')) authority.remove_suffix(1);
  PullTarget target;
  if (!read_host(authority, target)) return wrong(form);
  auto query = mark == std::string_view::npos ? std::string_view{} : url.substr(mark + 1);
  std::set<std::string_view> seen;
  while (const auto pair = next_pair(query)) {
    if (!seen.insert(pair->name).second) return wrong("a parameter may stand there once");
    if (auto complaint = take(pair->name, percent_decoded(pair->value), target); !complaint.empty())
      return wrong(std::move(complaint));
  }
  return {std::move(target), {}};
}

}  // namespace lookback::server::srt
