#include "tests/support/api_client.hpp"

#include <boost/json/parse.hpp>
#include <chrono>
#include <thread>

namespace lookback::support {

ApiAnswer ApiClient::send(const std::string& method, const std::string& path, const std::string& body,
                          const Fields& more) {
  auto fields = more;
  if (!body.empty()) fields.emplace_back("Content-Type", "application/json");
  ApiAnswer answer;
  answer.response = client_.request(method, "/api/v1" + path, fields, body);
  answer.status = answer.response.status;
  if (!answer.response.body.empty()) answer.body = boost::json::parse(answer.response.body);
  return answer;
}

ApiAnswer ApiClient::until(const std::string& path, const std::function<bool(const ApiAnswer&)>& wanted) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    auto answer = get(path);
    if (wanted(answer) || std::chrono::steady_clock::now() > end) return answer;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace lookback::support
