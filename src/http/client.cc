#include "http/client.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "http/transfer.h"

namespace wharfage::http {
namespace {

// OpenSSL writes to sockets in a way that raises SIGPIPE; the rest of the process shall not notice.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigemptyset(&x_pipe);
    sigaddset(&x_pipe, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    x_was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &x_pipe, &x_before);
  }
  ~NoPipeSignal() {
    timespec at_once{};
    if (!x_was_pending) sigtimedwait(&x_pipe, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &x_before, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t x_pipe;
  sigset_t x_before;
  bool x_was_pending;
};

// What may be said to an origin the caller did not name. Everything else could be a credential.
Headers harmless(const Headers& headers) {
  Headers kept;
  for (const auto& [name, value] : headers.fields()) {
    for (std::string_view safe : {"Accept", "Accept-Encoding", "Accept-Language", "User-Agent", "Range",
                                  "If-Range", "If-None-Match", "If-Modified-Since"}) {
      if (same_ignoring_case(name, safe)) kept.add(name, value);
    }
  }
  return kept;
}

}  // namespace

struct Client::State {
  struct Idle {
    std::string origin;
    Handle handle;
  };

  State(const AddressPolicy& policy, std::string agent) : rules(policy), user_agent(std::move(agent)) {}

  AddressRules rules;
  std::string user_agent;
  std::mutex mutex;
  std::vector<Idle> idle;  // the most recently used last

  Handle take(const std::string& origin) {
    std::lock_guard lock(mutex);
    auto same =
        std::find_if(idle.rbegin(), idle.rend(), [&](const Idle& each) { return each.origin == origin; });
    if (same == idle.rend()) return new_handle();
    Handle handle = std::move(same->handle);
    idle.erase(std::next(same).base());
    return handle;
  }

  void keep(std::string origin, Handle handle) {
    Handle oldest;  // closed outside the lock
    std::lock_guard lock(mutex);
    idle.push_back({std::move(origin), std::move(handle)});
    if (idle.size() <= limits::remote_idle_handles_max) return;
    oldest = std::move(idle.front().handle);
    idle.erase(idle.begin());
  }

  Result<ClientResponse> hop(const ClientRequest& request, const Headers& headers, const Url& url,
                             std::int64_t timeout_ms) {
    Handle handle = take(url.origin());
    if (!handle) return fail(Reason::internal);
    auto response = Transfer(request, headers, rules).run(handle.get(), url, user_agent, timeout_ms);
    keep(url.origin(), std::move(handle));
    return response;
  }
};

Client::Client(AddressPolicy policy, std::string user_agent)
    : x_state(std::make_unique<State>(policy, std::move(user_agent))) {}

Client::~Client() = default;

Result<ClientResponse> Client::send(const ClientRequest& request) {
  NoPipeSignal quiet;
  TRY(Url url, parse_url(request.url));
  Headers headers = request.headers;
  std::int64_t started = monotonic_ms();
  for (std::size_t redirects = 0; redirects <= limits::remote_redirects_max; ++redirects) {
    std::int64_t left = 0;
    if (request.total_timeout_ms > 0) {
      left = request.total_timeout_ms - (monotonic_ms() - started);
      if (left <= 0) return fail(Reason::timeout, "the other side took too long", url.origin());
    }
    TRY(ClientResponse response, x_state->hop(request, headers, url, left));
    if (!is_redirect(request, response)) return response;
    TRY(Url next, redirect_target(url, response.headers.get("Location")));
    if (next.origin() != url.origin()) headers = harmless(headers);
    url = std::move(next);
  }
  return fail(Reason::remote_failed, "the other side redirects too often", url.origin());
}

}  // namespace wharfage::http
