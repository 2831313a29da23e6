#include "server/http/picture_route.hpp"

#include <fmt/format.h>

#include <utility>

#include "server/http/routes.hpp"
#include "server/http/view.hpp"
#include "server/pictures/errc.hpp"
#include "server/pictures/key_picture.hpp"
#include "server/pictures/picture_cache.hpp"
#include "server/pictures/thumbnail_request.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
using pictures::ImageFormat;
using pictures::KeyPictures;
using pictures::ThumbnailRequest;

constexpr std::uint32_t latest_max_age_s = 2, stored_max_age_s = 3'600;
constexpr std::string_view nothing_there = "no picture is stored at this time; ranges.json tells what is";

std::optional<ImageFormat> format_of(std::string_view leaf) {
  if (leaf == "thumbnail.jpg") return ImageFormat::jpeg;
  if (leaf == "thumbnail.webp") return ImageFormat::webp;
  return {};
}

std::string_view content_type(ImageFormat format) {
  return format == ImageFormat::jpeg ? "image/jpeg" : "image/webp";
}

void redirect(Exchange& exchange, const ThumbnailRequest& request, std::int64_t time_us) {
  auto& response = exchange.response;
  response.status = 302;
  response.caching = Caching::for_seconds(1);
  const auto foreign = exchange.target.foreign();
  response.location =
      fmt::format("{}?{}{}{}", exchange.target.path(), pictures::canonical_query(request, time_us),
                  foreign.empty() ? "" : "&", foreign);
}

/// The picture that is asked for. Empty: there is an answer already.
std::optional<KeyPictures> find_picture(Exchange& exchange, const ThumbnailRequest& request,
                                        const packager::hls::Presentation& presentation) {
  const auto now = now_us(exchange);
  const bool latest = !request.time;
  const auto time = latest ? now : request.time->at(now);
  if (time > now) {
    exchange.answer(404, "time is in the future; ask for a time up to now");
    return {};
  }
  auto found =
      latest ? pictures::latest_key_picture(presentation) : pictures::nearest_key_picture(presentation, time);
  if (!found) {
    exchange.answer(404, nothing_there);
  } else if (request.moves()) {
    redirect(exchange, request, found->pdt_us);
    return {};
  }
  return found;
}

/// A time after the newest key picture may soon have a nearer one.
bool is_settled(const ThumbnailRequest& request, const KeyPictures& found,
                const packager::hls::Presentation& presentation) {
  const auto newest = pictures::latest_key_picture(presentation);
  return request.time && newest && newest->msn != found.msn;
}

void answer_with(Exchange& exchange, Slice picture, bool settled) {
  exchange.response.body = Chain{std::move(picture)};
  if (settled) exchange.kept.keep(exchange.target.path(), exchange.target.own(), exchange.response);
}

asio::awaitable<void> answer_thumbnail(Exchange& exchange, PictureSource source, ThumbnailRequest request) {
  auto found = find_picture(exchange, request, *source.presentation);
  if (!found) co_return;
  const auto& generation = source.presentation->generation();
  const auto name = fmt::format("{}-{}-{}", generation, found->msn, pictures::name_of(request.size));
  auto& response = exchange.response;
  response.content_type = content_type(request.size.format);
  response.etag = "\"" + name + "\"";
  const bool settled = is_settled(request, *found, *source.presentation);
  response.caching = Caching::for_seconds(settled ? stored_max_age_s : latest_max_age_s);
  const auto& site = exchange.site;
  auto key = source.stream + "/" + name;
  if (auto kept = site.pictures->find(key)) {
    answer_with(exchange, std::move(*kept), settled);
    co_return;
  }
  pictures::Workers::Prepare prepare =
      [media = pictures::MediaAccess{site.store, site.find_segment, site.find_init}, stream = source.stream,
       generation, keys = std::move(*found), size = request.size,
       max_pixels = site.pictures->options().max_pixels]() -> Result<pictures::Job> {
    auto read = pictures::read_key_picture(media, stream, generation, keys, size, max_pixels);
    if (!read) return read.error();
    pictures::Job job;
    job.sources.push_back(std::move(*read));
    job.outputs.push_back(size);
    return job;
  };
  const auto made =
      co_await site.pictures->get(std::move(key), pictures::Purpose::thumbnail, std::move(prepare));
  if (made) {
    answer_with(exchange, *made, settled);
  } else {
    answer_picture_failure(exchange, made.error());
  }
}

}  // namespace

void answer_picture_failure(Exchange& exchange, const boost::system::error_code& error) {
  using pictures::Errc;
  if (error == store::Errc::not_found || error == store::Errc::damaged)
    return exchange.answer(404, nothing_there);
  if (error == Errc::no_picture) return exchange.answer(404, "the media of this time cannot be decoded");
  if (error == Errc::too_large)
    return exchange.answer(
        404, "it is too large: the source has more than pictures.max_pixels, or the clip too much in it");
  if (error == Errc::unsupported) return exchange.answer(404, "the codec of this stream is not decoded here");
  if (error == Errc::skipped) return exchange.answer(503, "many other pictures are being made; ask again");
  exchange.answer(503, "the picture could not be made; ask again");
}

bool is_picture(std::string_view leaf) { return format_of(leaf).has_value(); }

asio::awaitable<void> answer_picture(Exchange& exchange, PictureSource source) {
  if (!exchange.site.pictures) {
    exchange.answer(404, "this server makes no pictures");
    co_return;
  }
  const auto format = *format_of(exchange.target.leaf());
  const auto request =
      pictures::parse_thumbnail(exchange.target.own(), format, exchange.site.pictures->options().max_side);
  if (!request) {
    answer_problem(exchange, request.error());
    co_return;
  }
  co_await answer_thumbnail(exchange, std::move(source), *request);
}

asio::awaitable<void> picture_route(Exchange& exchange) {
  const auto& target = exchange.target;
  PictureSource source{std::string(target.prefix(target.components() - 1)), exchange.channel->presentation()};
  co_await answer_picture(exchange, std::move(source));
}

}  // namespace lookback::server::http
