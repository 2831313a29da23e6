#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "tests/support/api_client.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;

namespace {

const Fields as_json = {{"Content-Type", "application/json"}};

Fields with_token(const std::string& token) {
  return {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}};
}

std::string pointer(const ApiAnswer& answer) {
  return std::string(answer["errors"].as_array().at(0).at("pointer").as_string());
}

}  // namespace

TEST_CASE("a page on the operator's machine cannot use the rights of that machine", "[api]") {
  Server server;
  HttpClient client(server.http_port());
  const std::string port = std::to_string(server.http_port());
  const std::string body = R"({"stream":"live/a","start":"now","duration":10})";
  const auto post = [&](const Fields& fields) {
    return client.request("POST", "/api/v1/recordings", fields, body);
  };

  const auto foreign = post({{"Origin", "http://evil.example"}, {"Content-Type", "application/json"}});
  CHECK(foreign.status == 403);
  CHECK_FALSE(foreign.has("Access-Control-Allow-Origin"));
  CHECK(post({{"Content-Type", "text/plain"}}).status == 415);  // what a form of another origin may send
  CHECK(post({{"Content-Type", "application/x-www-form-urlencoded"}}).status == 415);
  CHECK(post({}).status == 415);
  CHECK(client.request("POST", "/api/v1/config/reload", {{"Origin", "null"}}).status == 403);
  CHECK(client.request("GET", "/api/v1/streams", {{"Origin", "http://evil.example"}}).status == 403);
  CHECK(client.request("GET", "/api/v1/streams", {{"X-Forwarded-For", "192.0.2.1"}}).status == 401);
  const auto read = client.get("/api/v1/streams");
  CHECK(read.status == 200);
  CHECK_FALSE(read.has("Access-Control-Allow-Origin"));
  CHECK(read.field("Cache-Control") == "no-store");
  CHECK(post({{"Origin", "http://127.0.0.1:" + port}, {"Content-Type", "application/json"}}).status == 201);

  HttpClient rebound(server.http_port());
  rebound.send("GET /api/v1/streams HTTP/1.1\r\nHost: evil.example:" + port + "\r\n\r\n");
  CHECK(rebound.receive().status == 403);
}

TEST_CASE("the first start prints an admin token, which is kept as a hash", "[api]") {
  Server server;
  const auto line = server.process().wait_for_line("Admin token", std::chrono::seconds(5));
  REQUIRE(line.has_value());
  const auto from = line->find_first_not_of(' ', line->find("token") + 5);
  const auto token = line->substr(from, line->find(' ', from) - from);
  CHECK(token.size() == 32);
  HttpClient client(server.http_port());
  auto fields = with_token(token);
  fields.emplace_back("X-Forwarded-For", "192.0.2.1");
  const auto answer = client.request("GET", "/api/v1/streams", fields);
  CHECK(answer.status == 200);
  CHECK(answer.field("Access-Control-Allow-Origin") == "*");  // whoever asks knew the token
  fields.front().second += "0";
  const auto wrong = client.request("GET", "/api/v1/streams", fields);
  CHECK(wrong.status == 401);
  CHECK(wrong.field("WWW-Authenticate") == "Bearer");
  std::ifstream file(server.folder() / "data" / "admin.token");
  std::string kept;
  file >> kept;
  CHECK(kept.size() == 64);
  CHECK(kept.find(token) == std::string::npos);
  REQUIRE(server.stop() == 0);
  server.start();
  CHECK_FALSE(server.process().wait_for_line("Admin token", std::chrono::milliseconds(0)).has_value());
  fields = with_token(token);
  HttpClient later(server.http_port());
  CHECK(later.request("GET", "/api/v1/streams", fields).status == 200);
}

TEST_CASE("a role may do what it is for, and no more", "[api]") {
  Server server({.more = "[api]\ntoken = \"admin-token-0123\"\noperate_token = \"operate-token-01\"\n"
                         "read_token = \"read-token-01234\"\n"});
  HttpClient client(server.http_port());
  CHECK(client.get("/api/v1/streams").status == 401);  // from this machine, too
  struct Case {
    std::string method, path, body;
    int read, operate, admin;
  };
  const std::string wanted = R"({"stream":"live/a","start":"now","duration":10})";
  const std::string rec = R"({"processes":{"rec":{"enabled":false}}})";
  for (const auto& [method, path, body, read, operate, admin] :
       std::vector<Case>{{"GET", "/recordings", "", 200, 200, 200},
                         {"GET", "/streams", "", 200, 200, 200},
                         {"GET", "/storage", "", 200, 200, 200},
                         {"POST", "/recordings", wanted, 403, 201, 201},
                         {"PATCH", "/streams/live/a", rec, 403, 200, 200},
                         {"POST", "/recordings/000000000000/stop", "", 403, 404, 404},
                         {"DELETE", "/recordings/000000000000", "", 403, 404, 404},
                         {"DELETE", "/streams/live/none", "", 403, 403, 404},
                         {"POST", "/config/reload", "", 403, 403, 200}}) {
    CAPTURE(method, path);
    const auto status = [&](const std::string& token) {
      return client.request(method, "/api/v1" + path, with_token(token), body).status;
    };
    CHECK(status("read-token-01234") == read);
    CHECK(status("operate-token-01") == operate);
    CHECK(status("admin-token-0123") == admin);
  }
}

TEST_CASE("what is wrong with a request is told with the field's pointer, and nothing is done", "[api]") {
  Server server;
  ApiClient api(server.http_port());
  struct Case {
    std::string body;
    int status;
    std::string pointer;
  };
  for (const auto& [body, status, where] : std::vector<Case>{
           {R"({"stream":"live/a","stream":"live/b"})", 400, "/stream"},
           {R"({"start":"now"})", 422, "/stream"},
           {R"({"stream":"../etc/passwd"})", 422, "/stream"},
           {R"({"stream":"api/x"})", 422, "/stream"},
           {R"({"stream":"live/a","start":"yesterday"})", 422, "/start"},
           {R"({"stream":"live/a","start":1e400})", 422, "/start"},
           {R"({"stream":"live/a","duration":0})", 422, "/duration"},
           {R"({"stream":"live/a","duration":-1})", 422, "/duration"},
           {R"({"stream":"live/a","duration":4000000000})", 422, "/duration"},
           {R"({"stream":"live/a","start":"now","end":"now-10s"})", 422, "/end"},
           {R"({"stream":"live/a","end":"now+10s","duration":5})", 422, "/duration"},
           {R"({"stream":"live/a","start":"now-20s","end":"now-10s"})", 422, "/start"},
           {R"({"stream":"live/a","name":"line\nbreak"})", 422, "/name"},
           {R"({"stream":"live/a","colour":"red"})", 422, "/colour"},
           {R"({"stream":"live/a","retention":{"keep_for":0}})", 422, "/retention/keep_for"},
           {R"({"stream":"live/a","retention":{"keep_until":"now-1h"}})", 422, "/retention/keep_until"}}) {
    CAPTURE(body);
    const auto answer = api.post("/recordings", body);
    CAPTURE(answer.response.body);
    CHECK(answer.status == status);
    CHECK(answer.response.field("Content-Type") == "application/problem+json");
    if (answer.status == status) CHECK(pointer(answer) == where);
  }
  CHECK(api.post("/recordings", "{").status == 400);
  CHECK(api.post("/recordings", "[]").status == 400);
  CHECK(api.post("/recordings").status == 400);
  CHECK(api.get("/recordings")["total"].as_int64() == 0);
  CHECK(api.get("/recordings?limit=0").status == 400);
  CHECK(api.get("/recordings?state=lost").status == 400);
  CHECK(api.get("/recordings?colour=red").status == 400);
  CHECK(api.get("/recordings/none").status == 404);
  CHECK(api.get("/nothing").status == 404);
  CHECK(api.remove("/recordings").status == 405);
  CHECK(api.send("PUT", "/recordings", "{}").status == 405);
}

TEST_CASE("process settings out of range are 422 with the field and its range", "[api]") {
  Server server({.more = "[limits]\nmax_interval = \"2m\"\n"});
  ApiClient api(server.http_port());
  struct Case {
    std::string process, setting, pointer;
  };
  for (const auto& [process, setting, where] :
       std::vector<Case>{{"thumbs", R"("interval":9)", "interval"},
                         {"thumbs", R"("interval":121)", "interval"},  // limits.max_interval is 120 s
                         {"thumbs", R"("interval":null)", "interval"},
                         {"motionclip", R"("duration":0.5)", "duration"},
                         {"motionclip", R"("duration":61)", "duration"},
                         {"motionclip", R"("interval":5)", "interval"},
                         {"rec", R"("duration":0)", "duration"},
                         {"rec", R"("interval":20)", "interval"},
                         {"replay", R"("duration":0.9)", "duration"},
                         {"replay", R"("enabled":1)", "enabled"}}) {
    CAPTURE(process, setting);
    const auto answer =
        api.patch("/streams/live/a", R"({"processes":{")" + process + R"(":{)" + setting + "}}}");
    CHECK(answer.status == 422);
    if (answer.status == 422) CHECK(pointer(answer) == "/processes/" + process + "/" + where);
  }
  CHECK(api.patch("/streams/live/a", R"({"processes":{"zoom":{}}})").status == 422);
  CHECK(api.patch("/streams/live/a", R"({})").status == 422);
  CHECK(api.get("/streams/live/a").status == 404);  // nothing was set

  const auto set =
      api.patch("/streams/live/a", R"({"processes":{"thumbs":{"interval":120},"rec":{"duration":null},)"
                                   R"("replay":{"duration":90.5}}})");
  REQUIRE(set.status == 200);
  CHECK(set["processes"].at("thumbs").at("interval").as_int64() == 120);
  CHECK(set["processes"].at("rec").at("duration").is_null());
  CHECK(set["processes"].at("replay").at("duration").as_double() == 90.5);
  const auto back = api.patch("/streams/live/a", R"({"processes":{"thumbs":null}})");
  REQUIRE(back.status == 200);
  CHECK(back["settings"].at("thumbs.interval").at("origin").as_string() == "default");
  CHECK(api.remove("/streams/live/a").status == 204);
  CHECK(api.get("/streams/live/a").status == 404);
}

TEST_CASE("recordings are renamed, locked, kept for a time, listed and deleted", "[api]") {
  Server server;
  ApiClient api(server.http_port());
  const auto made =
      api.post("/recordings", R"({"stream":"live/a","start":"now+1h","duration":60,"name":"later"})");
  REQUIRE(made.status == 201);
  CHECK(made.text("state") == "scheduled");
  CHECK(made.text("stream") == "live/a");
  CHECK(made["links"].at("hls").as_string() == "/vod/" + made.text("id") + "/index.m3u8");
  const auto path = "/recordings/" + made.text("id");
  const auto changed =
      api.patch(path, R"({"name":"\"quoted\" <b>","locked":true,"retention":{"keep_for":3600}})");
  REQUIRE(changed.status == 200);
  CHECK(changed.text("name") == "\"quoted\" <b>");
  CHECK(changed["locked"].as_bool());
  CHECK(changed["keep_until"].is_string());
  CHECK(api.patch(path, R"({"retention":null})")["keep_until"].is_null());
  const auto locked = api.remove(path);
  CHECK(locked.status == 409);
  CHECK(api.get("/recordings?state=scheduled&stream=live/a&name=quoted")["total"].as_int64() == 1);
  CHECK(api.get("/recordings?created_to=now-1h")["total"].as_int64() == 0);
  CHECK(api.post(path + "/stop").text("state") == "failed");
  CHECK(api.post(path + "/stop").status == 200);
  CHECK(api.patch(path, R"({"locked":false})").status == 200);
  CHECK(api.remove(path).status == 204);
  CHECK(api.remove(path).status == 404);
}
