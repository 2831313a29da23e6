#include "tests/faults/power.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace lookback::faults {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t sector_bytes = 512;

std::uint64_t inode_of(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

fs::path numbered(const fs::path& folder, const char* what, std::uint64_t inode) {
  return folder / (what + std::to_string(inode));
}

}  // namespace

Power::Power(fs::path store, fs::path mirror, std::uint64_t seed)
    : store_(std::move(store)), mirror_(std::move(mirror)), random_(seed) {}

void Power::on() {
  fs::remove_all(mirror_);
  fs::create_directories(mirror_);
  for (const auto* name : {"", "index", "extents"}) {
    if (fs::exists(store_ / name)) follow(store_ / name);
  }
}

void Power::follow(const fs::path& folder) {
  std::ofstream names(numbered(mirror_, "names-", inode_of(folder)));
  for (const auto& [name, inode] : current(folder)) {
    names << inode << " " << name << "\n";
    fs::create_hard_link(folder / name, numbered(mirror_, "link-", inode));
    fs::copy_file(folder / name, numbered(mirror_, "durable-", inode));
  }
}

Power::Names Power::current(const fs::path& folder) const {
  Names out;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file()) out[entry.path().filename().string()] = inode_of(entry.path());
  return out;
}

Power::Names Power::durable(const fs::path& folder) const {
  Names out;
  std::ifstream names(numbered(mirror_, "names-", inode_of(folder)));
  std::uint64_t inode = 0;
  for (std::string name; names >> inode >> name;) out[name] = inode;
  return out;
}

void Power::cut() {
  for (const auto* folder : {"", "index", "extents"}) {
    const auto path = store_ / folder;
    if (!fs::exists(path)) continue;
    const auto now = current(path);
    const auto names = coin() ? now : durable(path);
    std::map<std::string, std::string> files;
    for (const auto& [name, inode] : names) {
      const auto link = numbered(mirror_, "link-", inode);
      const auto newest = now.find(name);
      // RocksDB's own log for people is written past the shim: as it is.
      const bool is_known = fs::exists(link);
      if (!is_known && (newest == now.end() || newest->second != inode)) continue;
      files[name] = is_known ? mixed(content(numbered(mirror_, "durable-", inode)), content(link))
                             : content(path / name);
    }
    for (const auto& [name, inode] : now) fs::remove(path / name);
    for (const auto& [name, bytes] : files) std::ofstream(path / name, std::ios::binary) << bytes;
  }
}

std::string Power::mixed(const std::string& durable, std::string now) {
  if (now == durable) return now;
  switch (random_() % 4) {
    case 0:
      return durable;
    case 1:
      return now;
    case 2: {  // any sectors, and any of both sizes
      auto out = now;
      out.resize(std::max(now.size(), durable.size()), '\0');
      auto old = durable;
      old.resize(out.size(), '\0');
      for (std::size_t at = 0; at < out.size(); at += sector_bytes)
        if (coin())
          std::copy_n(old.begin() + static_cast<std::ptrdiff_t>(at), std::min(sector_bytes, out.size() - at),
                      out.begin() + static_cast<std::ptrdiff_t>(at));
      out.resize(coin() ? now.size() : durable.size());
      return out;
    }
    default:  // a torn tail, with a flipped bit in it
      if (now.size() <= durable.size() || !now.starts_with(durable)) return now;
      now.resize(durable.size() + random_() % (now.size() - durable.size()) + 1);
      now[durable.size() + random_() % (now.size() - durable.size())] ^=
          static_cast<char>(1 << random_() % 8);
      return now;
  }
}

}  // namespace lookback::faults
