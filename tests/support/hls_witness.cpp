#include "tests/support/hls_witness.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace lookback::support {

using std::chrono::milliseconds;

/// The threads that follow one rendition. `log` is shared under `mutex`.
struct Witness::Follower {
  Follower(std::uint16_t port, const Options& options, std::string url) : port_(port), options_(options) {
    log.url = std::move(url);
    const auto slash = log.url.rfind('/');
    log.track = log.url.substr(slash + 1, log.url.find(".m3u8") - slash - 1);
  }

  void start() {
    follower_ = std::thread([this] { follow(); });
    if (options_.hold_hints) holder_ = std::thread([this] { hold_hints(); });
    if (options_.fetch) fetcher_ = std::thread([this] { fetch(); });
  }

  void stop() {
    set(stopping_);
    if (follower_.joinable()) follower_.join();
    if (holder_.joinable()) holder_.join();
    set(all_listed_);  // from here on the fetcher only empties its queue
    if (fetcher_.joinable()) fetcher_.join();
  }

  RenditionLog log;
  mutable std::mutex mutex;
  std::condition_variable changed;

 private:
  /// Runs `work` and notes what breaks. True: it worked.
  template <class Work>
  bool attempt(Work work) {
    try {
      work();
      return true;
    } catch (const std::exception& broken) {
      std::unique_lock lock(mutex);
      log.failures.push_back(broken.what());
      changed.wait_for(lock, milliseconds(20), [&] { return stopping_; });
      return false;
    }
  }

  void set(bool& flag) {
    const std::lock_guard lock(mutex);
    flag = true;
    changed.notify_all();
  }

  bool stopping() const {
    const std::lock_guard lock(mutex);
    return stopping_;
  }

  void follow() {
    HttpClient client(port_, options_.patience);
    std::string query;
    while (!stopping()) {
      const auto url = log.url + query;
      Response response;
      if (!attempt([&] { response = client.get(url); })) {
        if (options_.endure) continue;
        return;
      }
      if (response.status != 200) {
        note_status(url, response);
        if (!options_.endure) return;
        if (response.status == 400) query.clear();
        continue;
      }
      query = take(url, std::move(response));
    }
  }

  void note_status(const std::string& url, const Response& response) {
    std::unique_lock lock(mutex);
    log.failures.push_back(url + ": status " + std::to_string(response.status));
    changed.wait_for(lock, milliseconds(20), [&] { return stopping_; });
  }

  /// Remembers an answer and gives the query of the next blocking reload.
  std::string take(const std::string& url, Response response) {
    auto playlist = parse_media_playlist(response.text());
    const bool ended = playlist.ended;
    const auto next_msn = playlist.last_msn().value_or(playlist.media_sequence - 1) + 1;
    const auto next_part = playlist.open ? playlist.open->parts.size() : 0;
    std::unique_lock lock(mutex);
    list(playlist, response.complete);
    if (const auto* hint = playlist.hint("PART")) hint_ = resolve(log.url, hint->text("URI"));
    log.snapshots.push_back({url, std::move(response), std::move(playlist)});
    changed.notify_all();
    if (!ended) return "?_HLS_msn=" + std::to_string(next_msn) + "&_HLS_part=" + std::to_string(next_part);
    changed.wait_for(lock, milliseconds(200), [&] { return stopping_; });
    return {};
  }

  void list(const MediaPlaylist& playlist, Clock::time_point at) {
    const auto want = [&](const std::string& uri) {
      if (uri.empty()) return;
      auto path = resolve(log.url, uri);
      if (known_.insert(path).second) wanted_.push_back({.url = path, .listed = at, .response = {}});
    };
    for (const auto& segment : playlist.all()) {
      want(segment.map);
      for (const auto& part : segment.parts) {
        if (!part.gap) want(part.uri);
      }
      if (!segment.gap) want(segment.uri);
    }
  }

  /// The next resource to fetch; empty once all is fetched (with `endure`: as soon as nothing more is
  /// listed).
  std::optional<Resource> next_wanted() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return all_listed_ || !wanted_.empty(); });
    if (wanted_.empty() || (all_listed_ && options_.endure)) return std::nullopt;
    auto resource = wanted_.front();
    wanted_.pop_front();
    return resource;
  }

  void fetch() {
    HttpClient client(port_, options_.patience);
    while (auto resource = next_wanted()) {
      const bool answered = attempt([&] { resource->response = client.get(resource->url); });
      const std::lock_guard lock(mutex);
      const bool good = answered && resource->response.status == 200;
      if (answered && !good) {
        log.failures.push_back(resource->url + ": status " + std::to_string(resource->response.status));
      }
      if (!good && options_.endure)
        wanted_.push_back(*resource);
      else
        log.resources[resource->url] = *resource;
    }
  }

  void hold_hints() {
    HttpClient client(port_, options_.patience);
    std::string done;
    for (;;) {
      Resource request;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return stopping_ || (!hint_.empty() && hint_ != done); });
        if (stopping_) return;
        request.url = done = hint_;
        request.listed = Clock::now();
      }
      if (!attempt([&] { request.response = client.get(request.url); })) continue;
      const std::lock_guard lock(mutex);
      log.hinted.push_back(std::move(request));
    }
  }

  const std::uint16_t port_;
  const Options options_;
  bool stopping_ = false, all_listed_ = false;
  std::string hint_;
  std::set<std::string> known_;
  std::deque<Resource> wanted_;
  std::thread follower_, holder_, fetcher_;
};

Witness::Witness(std::uint16_t port, const std::string& stream, Options options)
    : port_(port), options_(options), master_url_("/" + stream + "/index.m3u8") {
  wait_for_master();
  std::set<std::string> urls;
  for (const auto& variant : multivariant_.variants) urls.insert(resolve(master_url_, variant.uri));
  for (const auto& media : multivariant_.media) {
    if (media.has("URI")) urls.insert(resolve(master_url_, media.text("URI")));
  }
  for (const auto& url : urls) followers_.push_back(std::make_unique<Follower>(port_, options_, url));
  for (auto& follower : followers_) follower->start();
}

Witness::~Witness() { stop(); }

void Witness::wait_for_master() {
  const auto deadline = Clock::now() + options_.patience;
  HttpClient client(port_, options_.patience);
  for (;;) {
    master_ = client.get(master_url_);
    if (master_.status == 200) break;
    if (Clock::now() > deadline)
      throw std::runtime_error(master_url_ + ": status " + std::to_string(master_.status));
    std::this_thread::sleep_for(milliseconds(20));
  }
  multivariant_ = parse_multivariant(master_.text());
}

void Witness::stop() {
  for (auto& follower : followers_) follower->stop();
  for (auto& follower : followers_) logs_.push_back(std::move(follower->log));
  followers_.clear();
}

std::optional<std::uint64_t> Witness::last_msn() const {
  std::optional<std::uint64_t> lowest;
  for (const auto& follower : followers_) {
    const std::lock_guard lock(follower->mutex);
    if (follower->log.snapshots.empty()) return std::nullopt;
    const auto last = follower->log.snapshots.back().playlist.last_msn();
    if (!last) return std::nullopt;
    lowest = lowest ? std::min(*lowest, *last) : *last;
  }
  return lowest;
}

bool Witness::wait_for_segments(std::size_t count, milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  const auto start = last_msn();
  while (Clock::now() < deadline) {
    const auto now = last_msn();
    if (now && (start ? *now >= *start + count : *now + 1 >= count)) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

bool Witness::wait_until_followed(std::size_t count, milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  const auto followed = [&](const Follower& follower) {
    const std::lock_guard lock(follower.mutex);
    const auto& seen = follower.log.snapshots;
    const auto last = seen.empty() ? std::nullopt : seen.back().playlist.last_msn();
    return last && *last >= seen.front().playlist.last_msn().value_or(0) + count;
  };
  while (!std::ranges::all_of(followers_, [&](const auto& follower) { return followed(*follower); })) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

const std::vector<RenditionLog>& Witness::renditions() const { return logs_; }

const RenditionLog* Witness::rendition(const std::string& track) const {
  const auto found = std::ranges::find_if(logs_, [&](const auto& log) { return log.track == track; });
  return found == logs_.end() ? nullptr : &*found;
}

Violations RenditionLog::violations() const {
  Violations all;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const auto append = [&](const Violations& more) {
      for (auto violation : more) {
        violation.what = track + " after " + snapshots[i].url + ": " + violation.what;
        all.push_back(std::move(violation));
      }
    };
    append(check_playlist(snapshots[i].playlist));
    if (i > 0) append(check_update(snapshots[i - 1].playlist, snapshots[i].playlist));
  }
  return all;
}

std::map<std::uint64_t, SegmentEntry> RenditionLog::segments() const {
  std::map<std::uint64_t, SegmentEntry> all;
  for (const auto& snapshot : snapshots) {
    for (const auto& segment : snapshot.playlist.segments) all.emplace(segment.msn, segment);
  }
  return all;
}

std::map<std::uint64_t, std::vector<PartEntry>> RenditionLog::parts() const {
  std::map<std::uint64_t, std::vector<PartEntry>> all;
  for (const auto& snapshot : snapshots) {
    for (const auto& segment : snapshot.playlist.all()) {
      auto& known = all[segment.msn];
      if (segment.parts.size() > known.size()) known = segment.parts;
    }
  }
  return all;
}

const std::string& RenditionLog::bytes(const std::string& uri) const {
  static const std::string none;
  const auto found = resources.find(resolve(url, uri));
  return found == resources.end() || found->second.response.status != 200 ? none
                                                                          : found->second.response.body;
}

}  // namespace lookback::support
