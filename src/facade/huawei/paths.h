// What several families of SWR's routes below a namespace are asked by: the variables of their paths and the
// pages of their lists. Routes of the same shape with other parameters keep their own. Not in a file's
// unnamed namespace, since equally named types of several files would be told apart by nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "facade/huawei/fields.h"

namespace wharfage::huawei {

struct NamespacePath {
  std::string namespace_name;
  static constexpr auto fields() {
    return std::array{wire::field<&NamespacePath::namespace_name>("namespace_name", wire::required)};
  }
};

// A policy, of signing and of retention.
struct PolicyPath {
  std::string namespace_name;
  std::int32_t policy_id = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&PolicyPath::namespace_name>("namespace_name", wire::required),
                      wire::field<&PolicyPath::policy_id>("policy_id", wire::required)};
  }
};

// The runs of such a policy, and what a task of a run consists of.
struct PolicyRunsQuery {
  std::string namespace_name;
  std::int32_t policy_id = 0;
  std::optional<std::int64_t> offset, limit;
  static constexpr auto fields() {
    return std::array{wire::field<&PolicyRunsQuery::namespace_name>("namespace_name", wire::required),
                      wire::field<&PolicyRunsQuery::policy_id>("policy_id", wire::required),
                      wire::field<&PolicyRunsQuery::offset>("offset"),
                      wire::field<&PolicyRunsQuery::limit>("limit")};
  }
};
struct PolicySubTasksQuery {
  std::string namespace_name;
  std::int32_t policy_id = 0, execution_id = 0, task_id = 0;
  std::optional<std::int64_t> offset, limit;
  std::optional<std::string> status;
  static constexpr auto fields() {
    return std::array{wire::field<&PolicySubTasksQuery::namespace_name>("namespace_name", wire::required),
                      wire::field<&PolicySubTasksQuery::policy_id>("policy_id", wire::required),
                      wire::field<&PolicySubTasksQuery::execution_id>("execution_id", wire::required),
                      wire::field<&PolicySubTasksQuery::task_id>("task_id", wire::required),
                      wire::field<&PolicySubTasksQuery::offset>("offset"),
                      wire::field<&PolicySubTasksQuery::limit>("limit"),
                      wire::field<&PolicySubTasksQuery::status>("status").one_of(run_statuses)};
  }
};

}  // namespace wharfage::huawei
