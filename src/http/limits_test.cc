// What slow, greedy and numerous clients may take, over real sockets.
#include <sys/resource.h>

#include <fstream>
#include <future>
#include <thread>

#include "http/budget.h"
#include "http/crowd.h"
#include "http/pace.h"
#include "http/test_peer.h"

using namespace wharfage;
using namespace wharfage::http;
using Verdict = Crowd::Verdict;

namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

std::string post_head(std::size_t length) {
  return "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

}  // namespace

TEST_CASE("a crowd has places in all and per address, and gives them back") {
  Crowd crowd;
  CHECK(crowd.admit("10.0.0.1", 3, 2) == Verdict::admitted);
  CHECK(crowd.admit("10.0.0.1", 3, 2) == Verdict::admitted);
  CHECK(crowd.admit("10.0.0.1", 3, 2) == Verdict::address_full);
  CHECK(crowd.admit("10.0.0.2", 3, 2) == Verdict::admitted);
  CHECK(crowd.admit("10.0.0.3", 3, 2) == Verdict::full);
  crowd.leave("10.0.0.1");
  CHECK(crowd.count() == 2);
  CHECK(crowd.admit("10.0.0.1", 3, 2) == Verdict::admitted);
}

TEST_CASE("an IPv6 network of 64 bits counts as one client") {
  Crowd crowd;
  CHECK(crowd.admit("2001:db8:1:2::1", 9, 1) == Verdict::admitted);
  CHECK(crowd.admit("2001:db8:1:2:ffff::9", 9, 1) == Verdict::address_full);
  CHECK(crowd.admit("2001:db8:1:3::1", 9, 1) == Verdict::admitted);
  crowd.leave("2001:db8:1:2::1");
  CHECK(crowd.admit("2001:db8:1:2:ffff::9", 9, 1) == Verdict::admitted);
}

TEST_CASE("a pace is judged over the client's own time") {
  Pace pace;
  CHECK_FALSE(pace.too_slow(1000, true, 100, 1000));  // the first look only takes the time
  pace.moved(150);
  CHECK_FALSE(pace.too_slow(1900, true, 100, 1000));
  CHECK_FALSE(pace.too_slow(5000, false, 100, 1000));  // it was our turn
  CHECK_FALSE(pace.too_slow(5100, true, 100, 1000));   // a second with 150 bytes
  pace.moved(99);
  CHECK(pace.too_slow(6100, true, 100, 1000));
  CHECK_FALSE(pace.too_slow(7100, true, 0, 1000));  // no minimum
}

TEST_CASE("a budget is never overdrawn and shares come back") {
  Budget budget(100);
  Share first;
  CHECK(first.grow(budget, 60));
  {
    Share second;
    CHECK_FALSE(second.grow(budget, 41));
    CHECK(second.grow(budget, 40));
    CHECK(budget.left() == 0);
  }
  CHECK(budget.left() == 40);
  first.release();
  CHECK(budget.left() == 100);
}

TEST_CASE("one address cannot take every place") {
  ServerOptions options;
  options.connections_per_address_max = 2;
  options.timeouts.keep_alive = 29'500;
  Site site(echo, options);
  Peer first(site.port()), second(site.port());
  CHECK(first.ask(get).status == 200);
  CHECK(second.ask(get).status == 200);
  {
    Peer third(site.port());
    Reply refused = third.reply();
    CHECK(refused.status == 429);
    CHECK(refused.headers.get("Retry-After") == "30");  // when an idle one of its own would end
    CHECK(third.is_closed());
  }
  first.leave();
  while (site.server->connections() > 1) std::this_thread::yield();
  Peer fourth(site.port());
  CHECK(fourth.ask(get).status == 200);
}

TEST_CASE("a body that trickles is refused although it is never idle") {
  ServerOptions options;
  options.timeouts.body_pace = 30;
  options.transfer_rate_min = 1'000'000;
  Site site(echo, options);
  Peer peer(site.port());
  peer.say(post_head(1'000'000));
  std::atomic<bool> answered = false;
  std::thread trickle([&] {
    while (!answered && peer.say("x")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  CHECK(peer.reply().status == 408);
  answered = true;
  trickle.join();
}

TEST_CASE("a reader that trickles is let go although it is never idle") {
  ServerOptions options;
  options.timeouts.response_idle = 200;
  options.transfer_rate_min = std::int64_t{1} << 40;
  std::promise<std::int64_t> sent;
  options.on_done = [&](const Request&, int, std::int64_t bytes, std::int64_t) { sent.set_value(bytes); };
  constexpr std::size_t size = 64 * 1024 * 1024;
  auto big = [](const Request&) { return Answered{Response::text(200, std::string(size, 'x'))}; };
  Site site(big, options);
  Peer peer(site.port(), 4096);
  peer.say(get);
  auto done = sent.get_future();
  while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    if (peer.hear_bytes(1000).size() < 1000) break;
  }
  CHECK(done.get() < static_cast<std::int64_t>(size));
}

TEST_CASE("thousands of slow connections hold little memory") {
  constexpr std::size_t clients = 3000;
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  rlimit more{std::min<rlim_t>(files.rlim_max, 2 * clients + 200), files.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &more) == 0);
  auto resident = [] {
    std::size_t pages = 0, all = 0;
    std::ifstream("/proc/self/statm") >> all >> pages;
    return pages * static_cast<std::size_t>(::getpagesize());
  };
  ServerOptions options;
  options.connections_per_address_max = clients;
  Site site(echo, options);
  std::vector<std::unique_ptr<Peer>> peers;
  std::size_t before = resident();
  for (std::size_t i = 0; i < clients; ++i) {
    peers.push_back(std::make_unique<Peer>(site.port()));
    peers.back()->say(i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: slow" : post_head(100'000) + "slow");
  }
  while (site.server->connections() < clients) std::this_thread::yield();
  Peer last(site.port());
  last.reply();  // 429: every place was taken, so all of them have been served
  std::size_t each = (resident() - before) / clients;
  MESSAGE("bytes per slow connection: ", each);
#ifdef __SANITIZE_ADDRESS__  // whose allocations have wide margins
  CHECK(each < 128 * 1024);
#else
  CHECK(each < 24 * 1024);
#endif
  peers.clear();
  ::setrlimit(RLIMIT_NOFILE, &files);
}
