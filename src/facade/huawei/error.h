// The three error forms of one vendor: SWR and the gateway, HSS (with error_description), IAM (an error
// object).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "facade/huawei/route.h"
#include "http/message.h"

namespace wharfage::huawei {

struct WireError {
  int status;
  std::string_view code;
};

WireError wire_error(Service service, Reason reason);  // total over all reasons
http::Response error_response(Service service, const Error& error, const std::string& request_id);

}  // namespace wharfage::huawei
