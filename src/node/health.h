// /livez, /readyz and /metrics. Liveness answers from the loop's own worker; readiness asks every part.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/server.h"

namespace wharfage::node {

struct Check {
  std::string name;
  std::function<Status()> ask;
  bool vital = true;  // else its failure only shows, e.g. advisory data that was never imported
};

class Health {
 public:
  Health(std::vector<Check> checks, std::function<std::string()> metrics)
      : x_checks(std::move(checks)), x_metrics(std::move(metrics)) {}
  http::Plan plan(const http::Request& head) const;

 private:
  http::Response ready(const http::Request& request) const;
  std::vector<Check> x_checks;
  std::function<std::string()> x_metrics;
};

}  // namespace wharfage::node
