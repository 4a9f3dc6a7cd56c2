// Which facade a request on the one port belongs to, decided from the raw path that is never normalised
// (docs/ARCHITECTURE.md, "One port"). The rule has no clash: a namespace may not be called like a first
// segment of the cloud APIs.
#pragma once

#include <string_view>

#include "http/message.h"

namespace wharfage::node {

enum class Destination { health, oci, huawei, alibaba, native, console };

// `is_project` tells whether a path segment is an existing Huawei project id.
Destination destination(const http::Request& head, bool (*is_project)(std::string_view, const void*),
                        const void* context);

}  // namespace wharfage::node
