#include "store/extent_writer.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <vector>

#include "store/system_error.hpp"

namespace lookback::store {
namespace {

constexpr std::uint64_t smallest_step = 1 << 20, largest_step = 16 << 20;
constexpr std::size_t max_vectors = 64;

/// One pwritev of up to max_vectors pieces from `done` bytes into `pieces[first]` on.
ssize_t write_some(int file, std::span<const ByteSpan> pieces, std::size_t done, std::uint64_t offset) {
  std::array<iovec, max_vectors> vectors;
  const auto count = std::min(pieces.size(), max_vectors);
  for (std::size_t i = 0; i < count; ++i) {
    const auto piece = i == 0 ? pieces[i].subspan(done) : pieces[i];
    vectors[i] = {const_cast<std::byte*>(piece.data()), piece.size()};
  }
  return ::pwritev(file, vectors.data(), static_cast<int>(count), static_cast<off_t>(offset));
}

}  // namespace

ExtentHeader::Nonce make_nonce() {
  std::random_device random;
  ExtentHeader::Nonce nonce;
  for (auto& byte : nonce) byte = static_cast<std::byte>(random());
  return nonce;
}

Result<ExtentWriter> ExtentWriter::create(const Folder& folder, const ExtentHeader& header,
                                          std::string_view preface, const Log& log) {
  const auto path = folder.extent_path(header.id);
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) {
    log(describe("creating " + path.string(), errno));
    return errc_of(errno);
  }
  ExtentWriter writer;
  writer.header_ = header;
  writer.file_ = std::make_shared<const Descriptor>(std::move(file));
  const auto head = encode(header);
  const std::array pieces{as_bytes(head), as_bytes(preface)};
  if (auto written = writer.write(pieces, log); !written) {
    ::unlink(path.c_str());
    return written.error();
  }
  return writer;
}

void ExtentWriter::allocate(std::uint64_t end) {
  if (end <= allocated_) return;
  const auto target = end + std::clamp(end / 2, smallest_step, largest_step);
  // Only a hint for the layout: where it is not supported or there is no room, the write itself decides.
  if (::fallocate(file_->get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(allocated_),
                  static_cast<off_t>(target - allocated_)) == 0 ||
      errno == EOPNOTSUPP) {
    allocated_ = target;
  }
}

Result<void> ExtentWriter::write(std::span<const ByteSpan> pieces, const Log& log) {
  std::uint64_t end = size_;
  for (const auto& piece : pieces) end += piece.size();
  allocate(end);
  std::size_t done = 0;  // of pieces.front()
  for (auto at = size_; at < end;) {
    const auto count = write_some(file_->get(), pieces, done, at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const auto error = count < 0 ? errno : EIO;
      log(describe("writing " + extent_name(header_.id) + " at " + std::to_string(at), error));
      return errc_of(error);
    }
    at += static_cast<std::uint64_t>(count);
    done += static_cast<std::size_t>(count);
    while (!pieces.empty() && done >= pieces.front().size()) {
      done -= pieces.front().size();
      pieces = pieces.subspan(1);
    }
  }
  size_ = end;
  return {};
}

void ExtentWriter::finish(const Log& log) {
  if (::ftruncate(file_->get(), static_cast<off_t>(size_)) == 0) return;
  log(describe("cutting " + extent_name(header_.id) + " to " + std::to_string(size_), errno));
}

}  // namespace lookback::store
