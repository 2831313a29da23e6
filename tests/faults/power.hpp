#pragma once
#include <filesystem>
#include <map>
#include <random>
#include <string>

/// The power goes: what the mirror (mirror.hpp) does not hold may be lost, or torn, or there.
namespace lookback::faults {

class Power {
 public:
  Power(std::filesystem::path store, std::filesystem::path mirror, std::uint64_t seed);

  /// The store as it is now is durable. Call it before the process that the mirror follows.
  void on();
  /// After that process is gone: the store becomes what a power cut at that instant may have left. Names in
  /// each folder are those of its last sync or the newest; each file's 512-byte sectors are those of its last
  /// sync or newer ones, its size in between; bits of its tail may be flipped.
  void cut();

 private:
  using Names = std::map<std::string, std::uint64_t>;  ///< and inode numbers

  void follow(const std::filesystem::path& folder);
  Names current(const std::filesystem::path& folder) const;
  Names durable(const std::filesystem::path& folder) const;
  std::string mixed(const std::string& durable, std::string now);
  bool coin() { return random_() % 2 == 0; }

  const std::filesystem::path store_, mirror_;
  std::mt19937_64 random_;
};

}  // namespace lookback::faults
