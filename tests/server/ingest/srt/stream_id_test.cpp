#include "server/ingest/srt/stream_id.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "server/errc.hpp"

using namespace lookback::server;
using namespace lookback::server::srt;

TEST_CASE("stream and key are found in every stream id that encoders send", "[srt][stream_id]") {
  struct Case {
    std::string id, stream, key, encoder;
  };
  const auto one = GENERATE(values<Case>({
      // SRT Access Control, in any order
      {"#!::r=live/news,m=publish", "live/news", "", ""},
      {"#!::m=publish,r=live/news,u=,s=", "live/news", "", ""},
      {"#!::s=S3,u=bob,m=publish,r=live/news", "live/news", "S3", ""},
      {"#!::u=bob,r=live/news", "live/news", "", ""},
      {"#!::r=news,m=publish,s=S3", "live/news", "S3", ""},
      {"#!::r=live/news?key=S3,m=publish", "live/news", "S3", ""},
      {"#!::r=/live/news,m=publish,t=stream,h=example.com,x=1", "live/news", "", ""},
      {"#!::r=live/news,m=publish,s=a=b", "live/news", "a=b", ""},
      {"#!::,r=live/news,,m=publish,", "live/news", "", ""},
      // Blackmagic
      {"#!::u=news,bmd_uuid=1234-5678,bmd_name=Web Presenter", "live/news", "", "Web Presenter"},
      {"#!::bmd_uuid=1234,u=eu/news?key=S3", "eu/news", "S3", ""},
      // MODE:NAME
      {"publish:live/news", "live/news", "", ""},
      {"publish:news", "live/news", "", ""},
      {"publish:live/news:bob:S3", "live/news", "S3", ""},
      {"publish:live/news::S3", "live/news", "S3", ""},
      {"publish:live/news?key=S3:4", "live/news", "S3:4", ""},
      // paths
      {"live/news", "live/news", "", ""},
      {"/live/news", "live/news", "", ""},
      {"vhost/app/stream", "vhost/app/stream", "", ""},
      {"news", "live/news", "", ""},
      {"5ecre7", "live/5ecre7", "", ""},  // a secret alone names the stream
      {"news?key=S3", "live/news", "S3", ""},
      {"news?user=u&pass=a%2Fb", "live/news", "a/b", ""},
  }));
  CAPTURE(one.id);
  const auto got = parse_stream_id(one.id, "");
  REQUIRE(got.has_value());
  CHECK(got->stream == one.stream);
  CHECK(got->key == one.key);
  CHECK(got->encoder == one.encoder);
}

TEST_CASE("a caller is a backup when its stream id says backup=1", "[srt][stream_id]") {
  for (const auto* id :
       {"#!::r=live/news,m=publish,backup=1", "#!::backup=1,r=news", "#!::r=live/news?backup=1,m=publish",
        "publish:live/news?key=S3&backup=1", "live/news?backup=1", "#!::u=news?backup=1,bmd_uuid=1"}) {
    CAPTURE(id);
    const auto got = parse_stream_id(id, "").value();
    CHECK(got.backup);
    CHECK(got.stream == "live/news");
  }
  for (const auto* id :
       {"#!::r=live/news,backup=0", "#!::r=live/news,backup=", "live/news", "publish:news"}) {
    CAPTURE(id);
    CHECK_FALSE(parse_stream_id(id, "").value().backup);
  }
  CHECK(parse_stream_id("#!::r=live/news,backup=1,backup=1", "").error() == Errc::bad_stream_id);
}

TEST_CASE("a caller brings a rendition when its stream id says NAME@RENDITION", "[srt][stream_id]") {
  for (const auto* id :
       {"#!::r=live/news@720p,m=publish,s=S3", "#!::s=S3,r=news@720p", "#!::u=news@720p?key=S3,bmd_uuid=1",
        "publish:live/news@720p:bob:S3", "publish:news@720p?key=S3", "live/news@720p?key=S3",
        "news@720p?key=S3", "news@720p?pass=S3"}) {
    CAPTURE(id);
    const auto got = parse_stream_id(id, "").value();
    CHECK(got.stream == "live/news");
    CHECK(got.rendition == "720p");
    CHECK(got.key == "S3");
  }
  CHECK(parse_stream_id("", "live/cam@low").value().rendition == "low");
  CHECK(parse_stream_id("live/news", "").value().rendition.empty());
  CHECK(parse_stream_id("live/news@", "").value().stream == "live/news@");  // a bad name from here on
}

TEST_CASE("an empty stream id means the port's stream", "[srt][stream_id]") {
  CHECK(parse_stream_id("", "live/cam").value().stream == "live/cam");
  CHECK(parse_stream_id("live/other", "live/cam").value().stream == "live/other");
  CHECK(parse_stream_id("", "").error() == Errc::no_stream);
}

TEST_CASE("stream ids that ask for something else, or for nothing, are refused", "[srt][stream_id]") {
  struct Case {
    std::string id;
    Errc error;
  };
  const auto one = GENERATE(values<Case>({
      {"#!::", Errc::bad_stream_id},
      {"#!::m=publish", Errc::bad_stream_id},
      {"#!::r=,u=,m=publish", Errc::bad_stream_id},
      {"#!::r", Errc::bad_stream_id},
      {"#!::r=live/a,r=live/b,m=publish", Errc::bad_stream_id},
      {"#!::r=live/a,m=publish,t=file", Errc::bad_stream_id},
      {"#!::r=live/a,m=dance", Errc::bad_stream_id},
      {"#!:{r=live/a}", Errc::bad_stream_id},
      {"#!::r=live/a,m=request", Errc::bad_mode},
      {"#!::r=live/a,m=bidirectional", Errc::bad_mode},
      {"read:live/a", Errc::bad_mode},
      {"play:live/a", Errc::bad_mode},
      {"publish:", Errc::bad_stream_id},
      {"publish:live/a:bob", Errc::bad_stream_id},
      {"publish:live/a:bob:S3:more", Errc::bad_stream_id},
      {"srt://host/live/a", Errc::bad_stream_id},
      {std::string(513, 'a'), Errc::bad_stream_id},
  }));
  CAPTURE(one.id);
  CHECK(parse_stream_id(one.id, "live/cam").error() == one.error);
}
