#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/ingest/event.hpp"
#include "server/ingest/ts/clock.hpp"
#include "server/ingest/ts/counts.hpp"
#include "server/ingest/ts/elementary_stream.hpp"
#include "server/ingest/ts/packet.hpp"
#include "server/ingest/ts/psi.hpp"
#include "server/ingest/ts/section.hpp"
#include "server/ingest/ts/start_gate.hpp"

/// MPEG-TS in, formats and samples out, as an RTMP session gives them. The path of a byte: `PacketReader`
/// finds packets; `Continuity` sees what is lost; sections (`SectionReader`, `parse_pat`, `parse_pmt`) say
/// what the PIDs hold; `PesReader` puts units together; an `ElementaryStream` for each codec makes samples of
/// them; `StartGate` lets them begin with a key picture. No Asio, no clock, no I/O.
namespace lookback::server::ts {

/// One transport stream. Takes any bytes: what is damaged is counted and left out. Memory is bounded by the
/// bounds of a unit and of the tracks. Belongs to its session's thread.
class Demuxer {
 public:
  struct Options {
    std::size_t max_unit_bytes = 16u << 20;  ///< of one access unit
    std::size_t max_tracks = 16;             ///< video and audio PIDs that are carried; others are named
  };

  explicit Demuxer(Options options) : options_(options), gate_(counts_) {}
  Demuxer(const Demuxer&) = delete;
  Demuxer& operator=(const Demuxer&) = delete;

  /// Appends to `out` what has become whole with these bytes.
  void feed(ByteSpan bytes, std::vector<IngestEvent>& out);
  /// The stream has ended: what has come of the last units is all there is.
  void finish(std::vector<IngestEvent>& out);

  /// Of the program in force: all its PIDs.
  const std::vector<StreamInfo>& streams() const { return streams_; }
  /// Whether any of them can be carried.
  bool carries_any() const { return !carried_.empty(); }
  /// In words, once for each: PIDs that are not carried and why, programs that are ignored.
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }
  Counts counts() const;
  /// Memory that unfinished units hold.
  std::size_t held_bytes() const;

 private:
  /// A PID with sections.
  struct Table {
    SectionReader sections = SectionReader();
    Continuity continuity;
  };
  /// A PID that is carried.
  struct Carried {
    StreamInfo info;
    packager::SourceTrack track;  ///< of the session: a PID keeps it while it keeps its kind and language
    Continuity continuity;
    PesReader pes;
    std::unique_ptr<ElementaryStream> stream;
  };

  void take(const Packet& packet, std::vector<IngestEvent>& out);
  void take_table(Table& table, const Packet& packet, std::vector<IngestEvent>& out);
  void take_media(Carried& carried, const Packet& packet, std::vector<IngestEvent>& out);
  void take_section(std::uint16_t pid, ByteSpan section, std::vector<IngestEvent>& out);
  void take_pat(ByteSpan section);
  void take_pmt(ByteSpan section, std::vector<IngestEvent>& out);
  void choose_cues(const std::vector<StreamInfo>& streams);
  void take_cue(ByteSpan section, std::vector<IngestEvent>& out);
  void choose(const std::vector<StreamInfo>& streams, std::vector<IngestEvent>& out);
  std::optional<packager::SourceTrack> track_of(const StreamInfo& info, bool by_pid);
  void add(const StreamInfo& info, packager::SourceTrack track);
  void take_unit(Carried& carried, const PesUnit& unit, std::vector<IngestEvent>& out);
  void pass(std::vector<IngestEvent>& out);
  bool carries(const StreamInfo& info);
  void refuse(StreamInfo info, const std::string& what, std::vector<IngestEvent>& out);
  void drop(std::uint16_t pid, std::vector<IngestEvent>& out);
  void note(std::string line);

  const Options options_;
  Counts counts_;
  PacketReader packets_;
  Table pat_, pmt_;
  std::map<std::uint16_t, Table> cues_;  ///< SCTE-35, by PID; at most 4
  std::optional<Program> program_;
  std::vector<StreamInfo> streams_;
  std::map<std::uint16_t, Carried> carried_;                           ///< by PID
  std::vector<std::pair<StreamInfo, packager::SourceTrack>> history_;  ///< each track as it was last
  std::map<std::uint16_t, StreamKind> refused_;  ///< PIDs whose frames are of no use; at most one of each
  Clock clock_;
  StartGate gate_;
  std::vector<IngestEvent> fresh_;  ///< on its way to the gate
  std::vector<std::string> notes_, noted_;
};

}  // namespace lookback::server::ts
