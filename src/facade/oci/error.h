// OCI's error form: {"errors":[{"code","message","detail"}]} (distribution-spec "Error Codes").
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace wharfage::oci {

struct WireError {
  int status;
  std::string_view code;
};

// Total over all reasons.
WireError wire_error(Reason reason);
http::Response error_response(const Error& error);

}  // namespace wharfage::oci
