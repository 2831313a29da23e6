#pragma once
#include <string>
#include <string_view>

namespace lookback::server {

/// What an encoder asks to publish.
struct PublishTarget {
  std::string stream;          ///< "live/news"; anything a peer can send: not yet checked
  std::string key;             ///< the secret, empty when none came
  bool backup = false;         ///< `backup=1` came: a second publisher that stands by
  std::string rendition = {};  ///< of NAME@RENDITION; empty: none was named
};

/// Reads the target out of connect's `app` and `tcUrl` and publish's `name`. The stream is app and name
/// joined, either of which may be empty; the key is the value of `key` or `pass` in a query behind the name,
/// the app or the URL, looked for in this order:
///
///     app "live",            name "NAME?key=SECRET"         rtmp://HOST/live, key NAME?key=SECRET
///     app "live",            name "NAME?user=U&pass=SECRET"
///     app "live?key=SECRET", name "NAME"
///     app "live/NAME",       name ""                        name in the URL, empty key
///
/// NAME@RENDITION, in each of these forms, is one connection of several that bring the renditions of NAME; an
/// @ that no rendition's name follows stays in the stream, which is then refused.
/// `backup=1` in any of these queries makes it the backup publisher.
/// Query values are percent-decoded; names are not: no allowed name needs it. Pure.
PublishTarget parse_publish_target(std::string_view app, std::string_view tc_url, std::string_view name);

}  // namespace lookback::server
