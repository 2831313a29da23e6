#include "packager/mp4/movie_init.hpp"

#include "packager/mp4/box_fields.hpp"

namespace lookback::packager {
namespace {

std::vector<std::byte> copy(ByteSpan bytes) { return {bytes.begin(), bytes.end()}; }

/// tkhd (ISO/IEC 14496-12 8.3.2): width and height stand last.
bool read_size(ByteSpan tkhd, MovieInit& init) {
  constexpr std::size_t version_0_bytes = 84, version_1_bytes = 96;
  if (tkhd.size() != version_0_bytes && tkhd.size() != version_1_bytes) return false;
  BoxFields in(tkhd.last(8));
  init.width = in.u32();
  init.height = in.u32();
  return true;
}

/// mdhd (8.4.2).
bool read_media_header(BoxFields in, MovieInit& init) {
  const bool wide = in.u32() >> 24 == 1;
  in.skip(wide ? 16 : 8);  // creation and modification time
  init.timescale = in.u32();
  in.skip(wide ? 8 : 4);  // duration
  init.language = in.u16();
  return in.ok() && init.timescale != 0;
}

}  // namespace

Result<MovieInit> read_movie_init(ByteSpan bytes) {
  BoxFields in(bytes);
  MovieInit init;
  in.box(box_type("ftyp"));
  auto trak = in.find_box(box_type("moov")).find_box(box_type("trak"));
  if (!read_size(trak.box(box_type("tkhd")).left(), init)) return Errc::bad_init;
  auto mdia = trak.find_box(box_type("mdia"));
  if (!read_media_header(mdia.box(box_type("mdhd")), init)) return Errc::bad_init;
  init.handler = copy(mdia.whole_box(box_type("hdlr")));
  auto minf = mdia.box(box_type("minf"));
  const auto header = minf.next_type();
  if (header != box_type("vmhd") && header != box_type("smhd")) return Errc::bad_init;
  init.kind = header == box_type("vmhd") ? MediaKind::video : MediaKind::audio;
  init.media_header = copy(minf.whole_box(header));
  init.data_info = copy(minf.whole_box(box_type("dinf")));
  auto stbl = minf.find_box(box_type("stbl"));
  init.samples = copy(stbl.whole_box(box_type("stsd")));
  const bool whole = !init.handler.empty() && !init.data_info.empty() && !init.samples.empty();
  if (!whole) return Errc::bad_init;
  return init;
}

}  // namespace lookback::packager
