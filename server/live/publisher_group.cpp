#include "server/live/publisher_group.hpp"

#include "server/live/live_stream.hpp"

namespace lookback::server {

std::chrono::milliseconds PublisherGroup::silence() const {
  auto shortest = std::chrono::milliseconds::max();
  for (const auto& member : members) shortest = std::min(shortest, member->silence());
  return shortest;
}

PublisherGroup::Member PublisherGroup::member(std::string_view rendition) const {
  const auto is_it = [&](const Member& each) { return each->request().rendition == rendition; };
  const auto found = std::ranges::find_if(members, is_it);
  return found == members.end() ? nullptr : *found;
}

bool PublisherGroup::has(const LivePublication& publication) const {
  return std::ranges::any_of(members, [&](const Member& each) { return each.get() == &publication; });
}

}  // namespace lookback::server
