#include "server/ingest/publish_target.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "server/ingest/ingest.hpp"

using namespace lookback::server;

TEST_CASE("stream and key are found in every form that encoders use", "[ingest][publish_target]") {
  struct Case {
    std::string app, tc_url, name, stream, key;
  };
  const auto one = GENERATE(values<Case>({
      {"live", "", "news", "live/news", ""},
      {"live", "", "news?key=S3", "live/news", "S3"},
      {"live", "", "news?user=u&pass=S3", "live/news", "S3"},
      {"live", "", "news?pass=S3&user=u", "live/news", "S3"},
      {"live", "", "news?x=1&key=S3&y=2", "live/news", "S3"},
      {"live?key=S3", "", "news", "live/news", "S3"},
      {"live/?key=S3", "", "news", "live/news", "S3"},
      {"live/", "", "news", "live/news", ""},
      {"live/", "", "/news", "live/news", ""},
      {"live/news", "", "", "live/news", ""},  // name in the URL, empty key
      {"live/news?key=S3", "", "", "live/news", "S3"},
      {"live/news", "", "?key=S3", "live/news", "S3"},
      {"live", "rtmp://host/live?key=S3", "news", "live/news", "S3"},
      {"live?key=app", "rtmp://host/live?key=url", "news?key=name", "live/news", "name"},
      {"live?key=app", "rtmp://host/live?key=url", "news", "live/news", "app"},
      {"live", "", "eu/news", "live/eu/news", ""},
      {"live/eu", "", "news", "live/eu/news", ""},
      {"live", "", "5ecre7", "live/5ecre7", ""},  // a secret alone names the stream
      {"live", "", "news?key=a%2Fb%3d%26c", "live/news", "a/b=&c"},
      {"live", "", "news?key=100%&x=%zz", "live/news", "100%"},
      {"live", "", "news?key=a+b", "live/news", "a+b"},
      {"live", "", "news?key=a=b", "live/news", "a=b"},
      {"live", "", "news?key=", "live/news", ""},
      {"live", "", "news?key", "live/news", ""},
      {"live", "", "news?monkey=S3", "live/news", ""},
      {"live", "", "news?", "live/news", ""},
      {"live", "", "%6eews", "live/%6eews", ""},  // names are taken as they are
      {"", "", "", "", ""},
      {"live", "", "", "live", ""},
  }));
  CAPTURE(one.app, one.tc_url, one.name);
  const auto target = parse_publish_target(one.app, one.tc_url, one.name);
  CHECK(target.stream == one.stream);
  CHECK(target.key == one.key);
}

TEST_CASE("a publisher is a backup when any query says backup=1", "[ingest][publish_target]") {
  CHECK(parse_publish_target("live", "", "news?backup=1").backup);
  CHECK(parse_publish_target("live", "", "news?key=S3&backup=1").backup);
  CHECK(parse_publish_target("live?backup=1", "", "news?key=S3").backup);
  CHECK(parse_publish_target("live", "rtmp://host/live?backup=1", "news").backup);
  CHECK(parse_publish_target("live", "", "news?key=S3&backup=1").key == "S3");
  for (const auto* name : {"news", "news?backup=0", "news?backup=", "news?backup", "news?nobackup=1"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_publish_target("live", "", name).backup);
  }
}

TEST_CASE("NAME@RENDITION is a connection of NAME in every form, and a bad rendition is part of the name",
          "[ingest][publish_target]") {
  struct Case {
    std::string app, name, stream, rendition, key;
  };
  const auto one = GENERATE(values<Case>({
      {"live", "news@720p?key=S3", "live/news", "720p", "S3"},
      {"live", "news@720p", "live/news", "720p", ""},
      {"live", "news@a.b_c-d?backup=1&key=S3", "live/news", "a.b_c-d", "S3"},
      {"live?key=S3", "news@720p", "live/news", "720p", "S3"},
      {"live/news@720p", "", "live/news", "720p", ""},
      {"live/news@720p?key=S3", "", "live/news", "720p", "S3"},
      {"live/eu", "news@high", "live/eu/news", "high", ""},
      {"live", "news?key=a@b", "live/news", "", "a@b"},  // of the key, not of the name
      {"live", "news", "live/news", "", ""},
      {"live", "news@", "live/news@", "", ""},  // refused as a bad name from here on
      {"live", "news@.hidden", "live/news@.hidden", "", ""},
      {"live", "news@a b", "live/news@a b", "", ""},
      {"live@720p", "news", "live@720p/news", "", ""},
      {"live", "news@a@b", "live/news@a", "b", ""},
      {"live", "@720p", "live/", "720p", ""},
  }));
  CAPTURE(one.app, one.name);
  const auto target = parse_publish_target(one.app, "", one.name);
  CHECK(target.stream == one.stream);
  CHECK(target.rendition == one.rendition);
  CHECK(target.key == one.key);
  const bool good = check_stream_name(target.stream).has_value();
  CHECK(good == (one.stream.find('@') == std::string::npos && one.stream != "live/"));
}

TEST_CASE("a rendition's name has 1 to 64 characters", "[ingest][publish_target]") {
  CHECK(parse_publish_target("live", "", "news@" + std::string(64, 'a')).rendition == std::string(64, 'a'));
  CHECK(parse_publish_target("live", "", "news@" + std::string(65, 'a')).rendition.empty());
}
