#include "packager/versions.hpp"

#include <zlib.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace lookback::packager {

namespace {

std::string dotted(unsigned version) {
  return std::to_string(version >> 16) + '.' + std::to_string(version >> 8 & 0xff) + '.' +
         std::to_string(version & 0xff);
}

}  // namespace

std::string library_versions() {
  return "libavformat " + dotted(avformat_version()) + "\nlibavcodec " + dotted(avcodec_version()) +
         "\nzlib " + zlibVersion() + "\n";
}

}  // namespace lookback::packager
