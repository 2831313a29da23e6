#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/ingest/ts/counts.hpp"
#include "server/ingest/ts/elementary_stream.hpp"

namespace lookback::server::ts {

/// What a frame of sound holds.
struct SoundFrame {
  std::vector<std::byte> config;  ///< as `packager::parse_config` takes it
  std::vector<std::byte> media;   ///< as it goes into a sample
};

/// Sound whose frames stand one behind the other, each with a header that tells its length: any number of
/// them in a PES unit, also such as go on in the next one. A unit's timestamp is that of the first frame that
/// begins in it; those behind it follow by their length. A changed configuration counts when it comes twice:
/// once is damage.
class SoundStream : public ElementaryStream {
 public:
  void take(const TimedUnit& unit, std::vector<IngestEvent>& out) final;
  void lose() final { rest_.clear(); }
  std::string refusal() const final;

 protected:
  /// No frame is shorter than `header_bytes`, of which 2 or more tell its length.
  SoundStream(packager::Codec codec, std::size_t header_bytes, Counts& counts)
      : codec_(codec), header_bytes_(header_bytes), counts_(counts) {}

  /// Whether a frame may begin here; `bytes` has at least 2.
  virtual bool is_sync(ByteSpan bytes) const = 0;
  /// How many bytes the frame at the front of `bytes` has, headers included, where they have come; more than
  /// `bytes` has when that cannot be said yet; 0: there is no frame. `bytes` has at least `header_bytes`.
  virtual std::size_t frame_bytes(ByteSpan bytes) const = 0;
  /// Errors: unsupported_codec when all is well with it, but it cannot be carried.
  virtual Result<SoundFrame> unpack(ByteSpan frame) = 0;
  /// Whether two configurations can share one init section.
  virtual bool same(ByteSpan config, ByteSpan other) const;
  /// What it is that gets unsupported_codec, for people.
  virtual std::string unsupported() const { return "a form of it that cannot be carried"; }

 private:
  bool another_follows(ByteSpan bytes, std::size_t frame_bytes) const;
  std::size_t find_sync(ByteSpan bytes, std::size_t from) const;
  void give(ByteSpan frame, std::vector<IngestEvent>& out);
  Result<bool> announce(const std::vector<std::byte>& config, std::vector<IngestEvent>& out);
  void pass_over(boost::system::error_code error);

  const packager::Codec codec_;
  const std::size_t header_bytes_;
  Counts& counts_;
  std::vector<std::byte> rest_;  ///< a frame that has begun: less than the longest that one may have
  std::optional<packager::TrackFormat> format_;      ///< that was given out last
  std::optional<std::vector<std::byte>> candidate_;  ///< a configuration that has come once
  unsigned refused_ = 0;                             ///< frames in a row, before the first good one
  bool timed_ = false;
  std::int64_t base_pts_ = 0;     ///< ticks of 90 kHz, of a frame that a timestamp told of
  std::int64_t ticks_since_ = 0;  ///< since then, of the format's timescale
};

}  // namespace lookback::server::ts
