#include "http/transfer.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <mutex>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "http/head.h"

namespace wharfage::http {
namespace {

constexpr std::int64_t cancel_poll_ms = 500;
constexpr long connections_per_handle = 2;
constexpr long idle_bytes_per_second = 1;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListDeleter>;

bool append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return false;
  [[maybe_unused]] auto* same = list.release();
  list.reset(longer);
  return true;
}

std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* transfer) {
  return static_cast<Transfer*>(transfer)->take_header({bytes, size});
}

std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* transfer) {
  return static_cast<Transfer*>(transfer)->take_body({bytes, size});
}

std::size_t on_read(char* buffer, std::size_t unit, std::size_t count, void* transfer) {
  return static_cast<Transfer*>(transfer)->give_body(buffer, unit * count);
}

int on_progress(void* transfer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(transfer)->goes_on() ? 0 : 1;
}

curl_socket_t on_open(void* transfer, curlsocktype, curl_sockaddr* address) {
  if (!static_cast<Transfer*>(transfer)->may_connect(address->addr)) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool is_header_value(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// What libcurl or we say ourselves, in agreement with the body.
bool is_ours(std::string_view name) {
  for (std::string_view ours :
       {"Content-Length", "Transfer-Encoding", "Expect", "Connection", "TE", "Upgrade"}) {
    if (same_ignoring_case(name, ours)) return true;
  }
  return false;
}

Result<List> header_list(const Headers& headers) {
  List list;
  bool complete = append(list, "Expect:");  // never wait for 100 Continue
  for (const auto& [name, value] : headers.fields()) {
    if (!is_token(name) || !is_header_value(value)) {
      return fail(Reason::invalid_parameter, "a header field is not valid", name);
    }
    if (is_ours(name)) continue;
    complete = complete && append(list, value.empty() ? name + ";" : name + ": " + value);
  }
  // libcurl would call every POST a form.
  if (!headers.has("Content-Type")) complete = complete && append(list, "Content-Type:");
  if (!headers.has("Accept")) complete = complete && append(list, "Accept: */*");
  if (!complete) return fail(Reason::internal);
  return list;
}

}  // namespace

void HandleDeleter::operator()(void* handle) const {
  curl_easy_cleanup(handle);
}

Handle new_handle() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return Handle(curl_easy_init());
}

Transfer::Transfer(const ClientRequest& request, const Headers& headers, const AddressRules& rules)
    : x_request(request), x_headers(headers), x_rules(rules) {}

std::size_t Transfer::take_header(std::string_view line) try {
  x_header_bytes += line.size();
  if (x_header_bytes > limits::remote_headers_max) {
    x_stopped = fail(Reason::too_large, "the response has too many header fields");
    return 0;
  }
  if (x_body_started) return line.size();  // trailers change nothing
  std::string_view text = trim(line);
  if (text.substr(0, 5) == "HTTP/") {
    std::size_t blank = text.find(' ');
    std::string_view code = blank == std::string_view::npos ? "" : text.substr(blank + 1, 3);
    x_response.status = static_cast<int>(parse_integer(code).value_or(0));
    x_response.headers = {};
  } else if (std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    x_response.headers.add(std::string(text.substr(0, colon)), std::string(trim(text.substr(colon + 1))));
  }
  return line.size();
} catch (...) {
  x_stopped = fail(Reason::internal);
  return 0;
}

Status Transfer::accept_body(std::string_view chunk) {
  if (is_redirect(x_request, x_response)) return {};
  bool good = x_response.status >= 200 && x_response.status < 300;
  if (good && x_request.body_sink) return x_request.body_sink(chunk);
  if (x_response.body.size() + chunk.size() > x_request.response_max) {
    return fail(Reason::too_large, "the response is too large");
  }
  x_response.body += chunk;
  return {};
}

std::size_t Transfer::take_body(std::string_view chunk) try {
  x_body_started = true;
  Status accepted = accept_body(chunk);
  if (accepted.ok()) return chunk.size();
  x_stopped = accepted.error();
  return 0;  // never a chunk's size: libcurl gives none that are empty
} catch (...) {
  x_stopped = fail(Reason::internal);
  return 0;
}

Result<std::size_t> Transfer::next_body(char* buffer, std::size_t size) {
  TRY(std::size_t count, x_request.body_source(buffer, size));
  x_given += static_cast<std::int64_t>(count);
  bool ended_early = count == 0 && x_given < x_request.body_length;
  if (count > size || ended_early || x_given > x_request.body_length) {
    return fail(Reason::size_invalid, "the body to send does not have its declared length");
  }
  return count;
}

std::size_t Transfer::give_body(char* buffer, std::size_t size) try {
  auto left = static_cast<std::uint64_t>(x_request.body_length - x_given);
  if (left == 0) return 0;
  auto count = next_body(buffer, static_cast<std::size_t>(std::min<std::uint64_t>(size, left)));
  if (count.ok()) return *count;
  x_stopped = count.error();
  return CURL_READFUNC_ABORT;
} catch (...) {
  x_stopped = fail(Reason::internal);
  return CURL_READFUNC_ABORT;
}

bool Transfer::goes_on() try {
  if (!x_request.canceled) return true;
  std::int64_t now = monotonic_ms();
  if (x_asked_ms != 0 && now - x_asked_ms < cancel_poll_ms) return true;
  x_asked_ms = now;
  if (!x_request.canceled()) return true;
  x_stopped = fail(Reason::canceled);
  return false;
} catch (...) {
  x_stopped = fail(Reason::internal);
  return false;
}

bool Transfer::may_connect(const sockaddr& address) {
  if (x_rules.allows(address)) return true;
  x_refused_address = true;
  return false;
}

void Transfer::prepare_method(void* handle) {
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, x_request.method.c_str());
  bool wants_body = x_request.method == "POST" || x_request.method == "PUT" || x_request.method == "PATCH";
  if (x_request.body_source) {
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(x_request.body_length));
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(handle, CURLOPT_READDATA, this);
    curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, static_cast<long>(limits::stream_chunk_bytes));
  } else if (wants_body || !x_request.body.empty()) {
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(x_request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, x_request.body.c_str());
  } else if (x_request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  }
}

void Transfer::prepare_trust(void* handle) {
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, x_request.verify_tls ? 1L : 0L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, x_request.verify_tls ? 2L : 0L);
  auto give = [handle](CURLoption option, const std::string& pem) {
    curl_blob blob{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_COPY};
    if (!pem.empty()) curl_easy_setopt(handle, option, &blob);
  };
  // The blob takes the place of the system's bundle file; the system's folder is still asked.
  give(CURLOPT_CAINFO_BLOB, x_request.ca_pem);
  give(CURLOPT_SSLCERT_BLOB, x_request.client_certificate_pem);
  give(CURLOPT_SSLKEY_BLOB, x_request.client_key_pem);
}

Status Transfer::prepare(void* handle, const Url& url, const std::string& user_agent,
                         std::int64_t timeout_ms) {
  if (!is_token(x_request.method))
    return fail(Reason::invalid_parameter, "the method is not valid", "method");
  if (x_request.body_source && x_request.body_length < 0) {
    return fail(Reason::invalid_parameter, "a streamed body needs its length", "body_length");
  }
  curl_easy_setopt(handle, CURLOPT_URL, (url.origin() + url.path_and_query).c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, user_agent.c_str());
  curl_easy_setopt(handle, CURLOPT_MAXCONNECTS, connections_per_handle);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits::remote_connect_timeout_ms));
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, idle_bytes_per_second);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME,
                   static_cast<long>(limits::remote_idle_timeout_ms / second_ms));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, static_cast<long>(limits::stream_chunk_bytes));
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, on_open);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, this);
  prepare_trust(handle);
  prepare_method(handle);
  return {};
}

Result<ClientResponse> Transfer::run(void* handle, const Url& url, const std::string& user_agent,
                                     std::int64_t timeout_ms) {
  TRY(List headers, header_list(x_headers));
  TRY_STATUS(prepare(handle, url, user_agent, timeout_ms));
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  CURLcode code = curl_easy_perform(handle);
  curl_easy_reset(handle);  // keeps connections, forgets everything of this request
  return conclude(code, url);
}

Result<ClientResponse> Transfer::conclude(int code, const Url& url) {
  if (x_stopped) return std::move(*x_stopped);
  switch (code) {
    case CURLE_OK:
      x_response.url = url.origin() + url.path_and_query;
      return std::move(x_response);
    case CURLE_COULDNT_RESOLVE_HOST:
      return fail(Reason::remote_unreachable, "the host name cannot be resolved", url.host);
    case CURLE_COULDNT_CONNECT:
      if (x_refused_address) return fail(Reason::address_forbidden, {}, url.origin());
      return fail(Reason::remote_unreachable, "the connection was refused", url.origin());
    case CURLE_OPERATION_TIMEDOUT:
      return fail(Reason::timeout, "the other side took too long", url.origin());
    case CURLE_PEER_FAILED_VERIFICATION:
      return fail(Reason::remote_unreachable, "the certificate of the other side is not trusted",
                  url.origin());
    case CURLE_SSL_CACERT_BADFILE:
      return fail(Reason::invalid_parameter, "the CA certificate cannot be read", "ca_pem");
    case CURLE_SSL_CERTPROBLEM:
      return fail(Reason::invalid_parameter, "the client certificate and its key cannot be used");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return fail(Reason::invalid_parameter, "the URL is not valid", "url");
    default:
      return fail(Reason::remote_unreachable, "the connection broke", url.origin());
  }
}

bool is_redirect(const ClientRequest& request, const ClientResponse& response) {
  if (!request.follow_redirects || (request.method != "GET" && request.method != "HEAD")) return false;
  switch (response.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return response.headers.has("Location");
    default:
      return false;
  }
}

Result<Url> redirect_target(const Url& from, std::string_view location) {
  struct UrlDeleter {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
  };
  std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
  if (!url) return fail(Reason::internal);
  std::string base = from.origin() + from.path_and_query;
  char* text = nullptr;
  bool resolved =
      curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0) == CURLUE_OK &&
      curl_url_set(url.get(), CURLUPART_URL, std::string(location).c_str(), CURLU_URLENCODE) == CURLUE_OK &&
      curl_url_get(url.get(), CURLUPART_URL, &text, 0) == CURLUE_OK;
  std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  auto target = resolved ? parse_url(text) : Result<Url>(fail(Reason::remote_failed));
  if (target.ok()) return target;
  return fail(Reason::remote_failed, "the other side redirects to a URL that is not valid", from.origin());
}

}  // namespace wharfage::http
