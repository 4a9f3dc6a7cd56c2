// The vendor's errors. Requests that fail at the gateway (authentication, parameters) and all of sas answer
// with an HTTP error; what cr refuses on its own account (a repository that does not exist) answers 200 with
// IsSuccess false, as its clients expect.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace wharfage::alibaba {

struct WireError {
  int status;        // of the gateway's form
  std::string code;  // "MissingInstanceId", "REPO_NOT_EXIST"
  bool business;     // in cr: 200 and IsSuccess false
};

// Total over all reasons. The parameter's name goes into Missing… and Invalid… codes.
WireError wire_error(const Error& error);

// How an action tells of failures. Where Code is declared a number, or not at all, cr's own refusals cannot
// be told in a success: clients would choke on the type, or not see it.
enum class Dialect { cr, cr_status, sas };

http::Response error_response(const Error& error, const std::string& request_id, std::string_view host,
                              Dialect dialect);

}  // namespace wharfage::alibaba
