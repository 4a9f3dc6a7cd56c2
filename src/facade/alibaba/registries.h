// How cr names the registries of a synchronisation: an instance id and a region, from the connections'
// aliases. Lives as long as one request and asks once per connection.
#pragma once

#include <map>
#include <string>

#include "facade/alibaba/action.h"

namespace wharfage::alibaba {

class Registries {
 public:
  struct Name {
    std::string alias, region;  // empty for a connection that exists no more
  };
  explicit Registries(Call& call) : x_call(call) {}
  Result<Name> find(std::int64_t connection_id);

 private:
  Call& x_call;
  std::map<std::int64_t, Name> x_names;
};

}  // namespace wharfage::alibaba
