// What a browser sees at "/": until the console is here, a page that says so and leads to the API.
#pragma once

#include <string>

#include "http/server.h"

namespace wharfage::console {

class Console {
 public:
  explicit Console(std::string version) : x_version(std::move(version)) {}
  http::Plan plan(const http::Request& head) const;

 private:
  std::string x_version;
};

}  // namespace wharfage::console
