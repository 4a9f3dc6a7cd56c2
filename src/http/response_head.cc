#include "http/response_head.h"

#include <span>

#include "base/text.h"
#include "http/head.h"

namespace wharfage::http {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Other";
  }
}

bool is_ours(std::string_view name) {
  for (std::string_view ours : {"Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Date"}) {
    if (same_ignoring_case(name, ours)) return true;
  }
  return false;
}

// Fields that RFC 9113 8.2.2 forbids, besides ours.
bool is_of_http_1(std::string_view name) {
  for (std::string_view old : {"Upgrade", "Proxy-Connection", "TE"}) {
    if (same_ignoring_case(name, old)) return true;
  }
  return false;
}

void blank_controls(std::span<char> text) {
  for (char& c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
}

std::string without_controls(std::string_view value) {
  std::string out(value);
  blank_controls(out);
  return out;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  auto begin = out.size();
  out += value;
  blank_controls(std::span(out).subspan(begin));
  out += "\r\n";
}

bool has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

// The value of Content-Length, or -1 when the status forbids or does not need one.
std::int64_t announced_length(const Response& response, bool head_method) {
  if (response.status < 200 || response.status == 204) return -1;
  bool without_body = head_method || response.status == 304;
  if (without_body && response.announced_length) return *response.announced_length;
  return response.status == 304 ? -1 : body_length(response);
}

}  // namespace

std::int64_t body_length(const Response& response) {
  if (auto range = std::get_if<FileRange>(&response.body)) return range->descriptor ? range->length : 0;
  return static_cast<std::int64_t>(std::get<std::string>(response.body).size());
}

bool sends_body(const Response& response, bool head_method) {
  return !head_method && !has_no_body(response.status) && body_length(response) > 0;
}

std::string response_head(const Response& response, const ResponseFacts& facts) {
  std::string out;
  out.reserve(512);
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\n";
  bool id_given = false;
  for (const auto& [name, value] : response.headers.fields()) {
    if (is_ours(name) || !is_token(name)) continue;
    id_given = id_given || same_ignoring_case(name, "X-Request-Id");
    append_field(out, name, value);
  }
  if (std::int64_t length = announced_length(response, facts.head_method); length >= 0) {
    append_field(out, "Content-Length", std::to_string(length));
  }
  append_field(out, "Date", facts.date);
  if (!id_given) append_field(out, "X-Request-Id", facts.request_id);
  if (facts.close) {
    append_field(out, "Connection", "close");
  } else if (facts.http_1_0) {
    append_field(out, "Connection", "keep-alive");
  }
  out += "\r\n";
  return out;
}

std::vector<std::pair<std::string, std::string>> response_fields(const Response& response,
                                                                 const ResponseFacts& facts) {
  std::vector<std::pair<std::string, std::string>> fields;
  fields.reserve(response.headers.fields().size() + 4);
  fields.emplace_back(":status", std::to_string(response.status));
  bool id_given = false;
  for (const auto& [name, value] : response.headers.fields()) {
    if (is_ours(name) || is_of_http_1(name) || !is_token(name)) continue;
    id_given = id_given || same_ignoring_case(name, "X-Request-Id");
    fields.emplace_back(lower(name), without_controls(trim(value)));
  }
  if (std::int64_t length = announced_length(response, facts.head_method); length >= 0) {
    fields.emplace_back("content-length", std::to_string(length));
  }
  fields.emplace_back("date", facts.date);
  if (!id_given) fields.emplace_back("x-request-id", facts.request_id);
  return fields;
}

}  // namespace wharfage::http
