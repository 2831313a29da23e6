#include "server/pictures/job.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "server/pictures/errc.hpp"

using namespace lookback;
using namespace lookback::server::pictures;

namespace {

Slice bytes_of(std::string text) { return make_slice(std::move(text)); }

Job example() {
  Job job;
  job.max_pixels = 1'000'000;
  job.max_cpu_ms = 5'000;
  Source source;
  source.codec = 1;
  source.config = {std::byte{1}, std::byte{0x64}};
  source.samples = {{-90, bytes_of("first")}, {1ll << 40, bytes_of("")}};
  source.wanted = {-5, 0, 7};
  job.sources = {source, {jpeg_source, {}, {{0, bytes_of("tile")}}, {}}};
  job.grid = Grid{10, 10, 160, 90, {0, 99, 5}};
  job.outputs = {{ImageFormat::webp, 320, 0, Fit::contain, 75},
                 {ImageFormat::jpeg, 16, 1'920, Fit::cover, 100}};
  return job;
}

Slice payload_of(const std::string& message) { return make_slice(message.substr(message_head_bytes)); }

/// Every truncation and many changed bytes of a message are taken or refused, and never more than that.
template <class Decode>
void damage(const std::string& payload, Decode decode) {
  for (std::size_t size = 0; size < payload.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(decode(payload.substr(0, size)).has_value());
  }
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    auto changed = payload;
    changed[random() % changed.size()] = static_cast<char>(random());
    (void)decode(changed);
  }
}

}  // namespace

TEST_CASE("a job comes out of its message as it went in", "[pictures][job]") {
  const auto job = example();
  const auto message = encode(job);
  REQUIRE(payload_bytes(as_bytes(message).first(message_head_bytes), max_job_bytes).value() ==
          message.size() - message_head_bytes);
  const auto read = decode_job(payload_of(message));
  REQUIRE(read.has_value());
  CHECK(read->max_pixels == job.max_pixels);
  CHECK(read->max_cpu_ms == job.max_cpu_ms);
  REQUIRE(read->sources.size() == 2);
  CHECK(read->sources[0].codec == 1);
  CHECK(read->sources[0].config == job.sources[0].config);
  CHECK(read->sources[0].samples[0].pts == -90);
  CHECK(read->sources[0].samples[0].bytes.text() == "first");
  CHECK(read->sources[0].samples[1].pts == 1ll << 40);
  CHECK(read->sources[0].wanted == job.sources[0].wanted);
  CHECK(read->sources[1].samples[0].bytes.text() == "tile");
  REQUIRE(read->grid.has_value());
  CHECK(read->grid->cells == job.grid->cells);
  CHECK(read->outputs == job.outputs);
}

TEST_CASE("a reply comes out of its message as it went in", "[pictures][job]") {
  const Reply reply{Verdict::done, {{3, 1, 160, 90, std::vector<std::byte>(10, std::byte{7})}}};
  const auto message = encode(reply);
  const auto read = decode_reply(payload_of(message).bytes);
  REQUIRE(read.has_value());
  REQUIRE(read->images.size() == 1);
  CHECK(read->images[0].picture == 3);
  CHECK(read->images[0].output == 1);
  CHECK(read->images[0].width == 160);
  CHECK(read->images[0].bytes == reply.images[0].bytes);
}

TEST_CASE("a damaged message is refused and does no harm", "[pictures][job]") {
  damage(encode(example()).substr(message_head_bytes),
         [](const std::string& payload) { return decode_job(make_slice(payload)); });
  damage(
      encode(Reply{Verdict::done, {{0, 0, 16, 16, std::vector<std::byte>(20)}}}).substr(message_head_bytes),
      [](const std::string& payload) { return decode_reply(as_bytes(payload)); });
}

TEST_CASE("a message of another version, or longer than allowed, is refused at its head", "[pictures][job]") {
  auto message = encode(Reply{});
  const auto head = [&] { return payload_bytes(as_bytes(message).first(message_head_bytes), 100); };
  REQUIRE(head().has_value());
  message[4] = static_cast<char>(protocol_version + 1);
  CHECK(head().error() == Errc::bad_message);
  message[4] = static_cast<char>(protocol_version);
  message[0] = 101;
  CHECK(head().error() == Errc::bad_message);
}

namespace {

Job clip_example() {
  auto job = example();
  job.grid.reset();
  job.clip = Clip{{0, 83'333, 5'000'000}, 5'100'000};
  job.outputs = {{ImageFormat::webp_animation, 320, 640, Fit::contain, 60},
                 {ImageFormat::gif, 320, 640, Fit::contain, 60},
                 {ImageFormat::mp4, 320, 640, Fit::contain, 60}};
  return job;
}

bool is_refused(const Job& job) { return !decode_job(payload_of(encode(job))).has_value(); }

}  // namespace

TEST_CASE("a clip's job comes out of its message as it went in, and damage to it does no harm",
          "[pictures][job][clips]") {
  const auto job = clip_example();
  const auto read = decode_job(payload_of(encode(job)));
  REQUIRE(read.has_value());
  REQUIRE(read->clip.has_value());
  CHECK_FALSE(read->grid.has_value());
  CHECK(read->clip->begins_us == job.clip->begins_us);
  CHECK(read->clip->length_us == job.clip->length_us);
  CHECK(read->outputs == job.outputs);
  damage(encode(job).substr(message_head_bytes),
         [](const std::string& payload) { return decode_job(make_slice(payload)); });
}

TEST_CASE("a clip of impossible times, or of a format that does not go with it, is refused",
          "[pictures][job][clips]") {
  CHECK_FALSE(is_refused(clip_example()));
  auto job = clip_example();
  job.clip->begins_us = {0, 10, 10};
  CHECK(is_refused(job));
  job.clip->begins_us = {0, 20, 10};
  CHECK(is_refused(job));
  job.clip->begins_us = {0, 5'100'000};  // begins when the clip ends
  CHECK(is_refused(job));
  job = clip_example();
  job.clip->length_us = max_clip_us + 1;
  CHECK(is_refused(job));
  job = clip_example();
  job.outputs[0].format = ImageFormat::jpeg;
  CHECK(is_refused(job));
  job = example();
  job.outputs[0].format = ImageFormat::gif;
  CHECK(is_refused(job));
}

TEST_CASE("a grid whose cells do not fit is refused", "[pictures][job]") {
  const auto refused = [](Grid grid) {
    Job job;
    job.grid = std::move(grid);
    return !decode_job(payload_of(encode(job))).has_value();
  };
  CHECK_FALSE(refused({10, 10, 160, 90, {99}}));
  CHECK(refused({10, 10, 160, 90, {100}}));
  CHECK(refused({10, 10, 0, 90, {0}}));
  CHECK(refused({10, 10, 820, 90, {0}}));  // 8,200 pixels across
  CHECK(refused({21, 1, 16, 16, {0}}));
}
