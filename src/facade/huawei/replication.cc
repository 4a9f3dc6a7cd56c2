// SWR enterprise replication: registries (our connections), policies (rules), executions, tasks and
// sub-tasks.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "connect/ops/connections.h"
#include "facade/huawei/fields.h"
#include "facade/huawei/route.h"
#include "sync/ops/rules.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

// ---- paths and queries

struct InstancePath {
  std::string project_id;
  std::string instance_id;
  static constexpr auto fields() {
    return std::array{field<&InstancePath::project_id>("project_id", required),
                      field<&InstancePath::instance_id>("instance_id", required)};
  }
};
struct RegistryPath {
  std::string project_id;
  std::string instance_id;
  std::int32_t registry_id = 0;
  static constexpr auto fields() {
    return std::array{field<&RegistryPath::project_id>("project_id", required),
                      field<&RegistryPath::instance_id>("instance_id", required),
                      field<&RegistryPath::registry_id>("registry_id", required)};
  }
};
struct PolicyPath {
  std::string project_id;
  std::string instance_id;
  std::int32_t policy_id = 0;
  static constexpr auto fields() {
    return std::array{field<&PolicyPath::project_id>("project_id", required),
                      field<&PolicyPath::instance_id>("instance_id", required),
                      field<&PolicyPath::policy_id>("policy_id", required)};
  }
};
struct ExecutionPath {
  std::string project_id;
  std::string instance_id;
  std::int32_t execution_id = 0;
  static constexpr auto fields() {
    return std::array{field<&ExecutionPath::project_id>("project_id", required),
                      field<&ExecutionPath::instance_id>("instance_id", required),
                      field<&ExecutionPath::execution_id>("execution_id", required)};
  }
};
struct RegistryListQuery {
  std::string project_id;
  std::string instance_id;
  std::optional<std::string> order_column;
  std::optional<std::string> order_type;
  std::optional<std::string> name;
  std::optional<std::string> type;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{
        field<&RegistryListQuery::project_id>("project_id", required),
        field<&RegistryListQuery::instance_id>("instance_id", required),
        field<&RegistryListQuery::order_column>("order_column").one_of("created_at|updated_at|name"),
        field<&RegistryListQuery::order_type>("order_type").one_of("desc|asc"),
        field<&RegistryListQuery::name>("name"),
        field<&RegistryListQuery::type>("type"),
        field<&RegistryListQuery::offset>("offset"),
        field<&RegistryListQuery::limit>("limit")};
  }
};
struct PolicyListQuery {
  std::string project_id;
  std::string instance_id;
  std::optional<std::string> order_column;
  std::optional<std::string> order_type;
  std::optional<std::string> name;
  std::optional<std::int32_t> registry_id;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&PolicyListQuery::project_id>("project_id", required),
                      field<&PolicyListQuery::instance_id>("instance_id", required),
                      field<&PolicyListQuery::order_column>("order_column"),
                      field<&PolicyListQuery::order_type>("order_type").one_of("desc|asc"),
                      field<&PolicyListQuery::name>("name"),
                      field<&PolicyListQuery::registry_id>("registry_id"),
                      field<&PolicyListQuery::offset>("offset"),
                      field<&PolicyListQuery::limit>("limit")};
  }
};
struct ExecutionListQuery {
  std::string project_id;
  std::string instance_id;
  std::optional<std::int32_t> policy_id;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&ExecutionListQuery::project_id>("project_id", required),
                      field<&ExecutionListQuery::instance_id>("instance_id", required),
                      field<&ExecutionListQuery::policy_id>("policy_id"),
                      field<&ExecutionListQuery::offset>("offset"),
                      field<&ExecutionListQuery::limit>("limit")};
  }
};
struct TaskListQuery {
  std::string project_id;
  std::string instance_id;
  std::int32_t execution_id = 0;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&TaskListQuery::project_id>("project_id", required),
                      field<&TaskListQuery::instance_id>("instance_id", required),
                      field<&TaskListQuery::execution_id>("execution_id", required),
                      field<&TaskListQuery::offset>("offset"), field<&TaskListQuery::limit>("limit")};
  }
};
struct SubTaskListQuery {
  std::string project_id;
  std::string instance_id;
  std::int32_t execution_id = 0;
  std::int32_t task_id = 0;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> status;
  static constexpr auto fields() {
    return std::array{field<&SubTaskListQuery::project_id>("project_id", required),
                      field<&SubTaskListQuery::instance_id>("instance_id", required),
                      field<&SubTaskListQuery::execution_id>("execution_id", required),
                      field<&SubTaskListQuery::task_id>("task_id", required),
                      field<&SubTaskListQuery::offset>("offset"),
                      field<&SubTaskListQuery::limit>("limit"),
                      field<&SubTaskListQuery::status>("status").one_of(
                          "Initialized|Pending|InProgress|Succeed|Failed|Stopped")};
  }
};

// ---- bodies and replies

struct Credential {
  std::string type;
  std::string access_key;
  std::string access_secret;
  static constexpr auto fields() {
    return std::array{field<&Credential::type>("type", required),
                      field<&Credential::access_key>("access_key", required),
                      field<&Credential::access_secret>("access_secret", required)};
  }
};
struct DnsConf {
  std::map<std::string, std::string> hosts;
  static constexpr auto fields() { return std::array{field<&DnsConf::hosts>("hosts")}; }
};
struct RegistryBody {
  std::string name;
  std::optional<std::string> description;
  std::string type;
  std::optional<std::string> project_id;
  std::optional<std::string> region_id;
  std::optional<std::string> instance_id;
  std::string url;
  Credential credential;
  std::optional<DnsConf> dns_conf;
  bool insecure = false;
  static constexpr auto fields() {
    return std::array{field<&RegistryBody::name>("name", required).range(1, 64),
                      field<&RegistryBody::description>("description"),
                      field<&RegistryBody::type>("type", required),
                      field<&RegistryBody::project_id>("project_id"),
                      field<&RegistryBody::region_id>("region_id"),
                      field<&RegistryBody::instance_id>("instance_id"),
                      field<&RegistryBody::url>("url", required),
                      field<&RegistryBody::credential>("credential", required),
                      field<&RegistryBody::dns_conf>("dns_conf"),
                      field<&RegistryBody::insecure>("insecure", required)};
  }
};
struct Registry {
  std::int32_t id = 0;
  std::string name;
  std::string description;
  std::optional<std::string> region_id;
  std::optional<std::string> instance_id;
  std::string type;
  std::string url;
  Credential credential;
  bool insecure = false;
  std::string status;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Registry::id>("id"),
                      field<&Registry::name>("name"),
                      field<&Registry::description>("description"),
                      field<&Registry::region_id>("region_id"),
                      field<&Registry::instance_id>("instance_id"),
                      field<&Registry::type>("type"),
                      field<&Registry::url>("url"),
                      field<&Registry::credential>("credential"),
                      field<&Registry::insecure>("insecure"),
                      field<&Registry::status>("status"),
                      field<&Registry::created_at>("created_at"),
                      field<&Registry::updated_at>("updated_at")};
  }
};
struct RegistryList {
  std::vector<Registry> registries;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&RegistryList::registries>("registries"), field<&RegistryList::total>("total")};
  }
};
struct RegistryRef {
  std::int64_t id = 0;
  static constexpr auto fields() { return std::array{field<&RegistryRef::id>("id", required)}; }
};
struct Filter {
  std::string type;
  std::string value;
  static constexpr auto fields() {
    return std::array{field<&Filter::type>("type", required).one_of("name|tag"),
                      field<&Filter::value>("value", required)};
  }
};
struct PolicyBody {
  std::string name;
  std::optional<std::string> description;
  std::optional<RegistryRef> src_registry;
  std::optional<RegistryRef> dest_registry;
  std::optional<std::string> dest_namespace;
  std::vector<Filter> filters;
  std::string repo_scope_mode;
  Trigger trigger;
  std::optional<bool> replace;
  bool enabled = false;
  static constexpr auto fields() {
    return std::array{field<&PolicyBody::name>("name", required).range(1, 256),
                      field<&PolicyBody::description>("description"),
                      field<&PolicyBody::src_registry>("src_registry"),
                      field<&PolicyBody::dest_registry>("dest_registry"),
                      field<&PolicyBody::dest_namespace>("dest_namespace"),
                      field<&PolicyBody::filters>("filters", required),
                      field<&PolicyBody::repo_scope_mode>("repo_scope_mode", required),
                      field<&PolicyBody::trigger>("trigger", required),
                      field<&PolicyBody::replace>("override"),
                      field<&PolicyBody::enabled>("enabled", required)};
  }
};
struct Policy {
  std::int32_t id = 0;
  std::string name;
  std::string description;
  std::optional<RegistryRef> src_registry;
  std::optional<RegistryRef> dest_registry;
  std::string dest_namespace;
  std::vector<Filter> filters;
  std::string repo_scope_mode;
  Trigger trigger;
  bool replace = false;
  bool enabled = false;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Policy::id>("id"),
                      field<&Policy::name>("name"),
                      field<&Policy::description>("description"),
                      field<&Policy::src_registry>("src_registry"),
                      field<&Policy::dest_registry>("dest_registry"),
                      field<&Policy::dest_namespace>("dest_namespace"),
                      field<&Policy::filters>("filters"),
                      field<&Policy::repo_scope_mode>("repo_scope_mode"),
                      field<&Policy::trigger>("trigger"),
                      field<&Policy::replace>("override"),
                      field<&Policy::enabled>("enabled"),
                      field<&Policy::created_at>("created_at"),
                      field<&Policy::updated_at>("updated_at")};
  }
};
struct PolicyList {
  std::vector<Policy> policies;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&PolicyList::policies>("policies"), field<&PolicyList::total>("total")};
  }
};
struct ExecuteBody {
  std::int32_t policy_id = 0;
  static constexpr auto fields() { return std::array{field<&ExecuteBody::policy_id>("policy_id", required)}; }
};
struct Execution {
  std::int32_t id = 0;
  std::int32_t policy_id = 0;
  std::string status;
  std::string status_text;
  std::int32_t total = 0;
  std::int32_t failed = 0;
  std::int32_t succeed = 0;
  std::int32_t in_progress = 0;
  std::int32_t stopped = 0;
  std::string trigger;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Execution::id>("id"),
                      field<&Execution::policy_id>("policy_id"),
                      field<&Execution::status>("status"),
                      field<&Execution::status_text>("status_text"),
                      field<&Execution::total>("total"),
                      field<&Execution::failed>("failed"),
                      field<&Execution::succeed>("succeed"),
                      field<&Execution::in_progress>("in_progress"),
                      field<&Execution::stopped>("stopped"),
                      field<&Execution::trigger>("trigger"),
                      field<&Execution::created_at>("created_at"),
                      field<&Execution::updated_at>("updated_at")};
  }
};
struct ExecutionList {
  std::vector<Execution> executions;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&ExecutionList::executions>("executions"), field<&ExecutionList::total>("total")};
  }
};
struct Task {
  std::int32_t id = 0;
  std::int32_t execution_id = 0;
  std::string resource_type;
  std::string src_resource;
  std::string dst_resource;
  std::string operation;
  std::string job_id;
  std::string status;
  std::int32_t revision = 0;
  std::string start_time;
  std::string end_time;
  static constexpr auto fields() {
    return std::array{field<&Task::id>("id"),
                      field<&Task::execution_id>("execution_id"),
                      field<&Task::resource_type>("resource_type"),
                      field<&Task::src_resource>("src_resource"),
                      field<&Task::dst_resource>("dst_resource"),
                      field<&Task::operation>("operation"),
                      field<&Task::job_id>("job_id"),
                      field<&Task::status>("status"),
                      field<&Task::revision>("StatusRevision"),
                      field<&Task::start_time>("start_time"),
                      field<&Task::end_time>("end_time")};
  }
};
struct TaskList {
  std::vector<Task> tasks;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&TaskList::tasks>("tasks"), field<&TaskList::total>("total")};
  }
};
struct SubTask {
  std::int32_t id = 0;
  std::string job_id;
  std::string namespace_name;
  std::string repository;
  std::string tag;
  std::string digest;
  std::string status;
  std::string status_text;
  std::string start_time;
  std::string end_time;
  static constexpr auto fields() {
    return std::array{field<&SubTask::id>("id"),
                      field<&SubTask::job_id>("job_id"),
                      field<&SubTask::namespace_name>("namespace"),
                      field<&SubTask::repository>("repository"),
                      field<&SubTask::tag>("tag"),
                      field<&SubTask::digest>("digest"),
                      field<&SubTask::status>("status"),
                      field<&SubTask::status_text>("status_text"),
                      field<&SubTask::start_time>("start_time"),
                      field<&SubTask::end_time>("end_time")};
  }
};
struct SubTaskList {
  std::vector<SubTask> sub_tasks;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&SubTaskList::sub_tasks>("sub_tasks"), field<&SubTaskList::total>("total")};
  }
};

// ---- between wire and domain

std::string_view status_of(sync::State state) {
  switch (state) {
    case sync::State::pending:
      return "Pending";
    case sync::State::running:
      return "InProgress";
    case sync::State::succeeded:
      return "Succeed";
    case sync::State::failed:
      return "Failed";
    case sync::State::canceled:
      return "Stopped";
  }
  return "Failed";
}

std::optional<sync::State> parse_status(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  if (*text == "Initialized") return sync::State::pending;
  for (auto state : {sync::State::pending, sync::State::running, sync::State::succeeded, sync::State::failed,
                     sync::State::canceled}) {
    if (status_of(state) == *text) return state;
  }
  return std::nullopt;
}

std::string_view trigger_of(sync::Trigger trigger) {
  switch (trigger) {
    case sync::Trigger::manual:
      return "manual";
    case sync::Trigger::event:
      return "event_based";
    case sync::Trigger::scheduled:
      return "scheduled";
  }
  return "manual";
}

sync::Trigger parse_trigger(std::string_view type) {
  if (type == "event_based") return sync::Trigger::event;
  return type == "scheduled" ? sync::Trigger::scheduled : sync::Trigger::manual;
}

std::optional<std::string> remembered(const std::string& vendor, std::string_view name) {
  boost::json::error_code error;
  auto value = boost::json::parse(vendor, error);
  auto* member = !error && value.is_object() ? value.get_object().if_contains(name) : nullptr;
  if (!member || !member->is_string()) return std::nullopt;
  return std::string(member->get_string());
}

Registry to_wire(const connect::Connection& connection) {
  Registry registry;
  registry.id = narrow(connection.id);
  registry.name = connection.name;
  registry.description = connection.description;
  registry.region_id = remembered(connection.vendor.swr, "region_id");
  registry.instance_id = remembered(connection.vendor.swr, "instance_id");
  registry.type =
      remembered(connection.vendor.swr, "type").value_or(std::string(connect::swr_type(connection.kind)));
  registry.url = connection.url;
  registry.credential = {"basic", connection.username, connection.masked_password()};
  registry.insecure = !connection.verify_tls;
  registry.status = connection.status == "fail" ? "unhealthy" : "healthy";
  registry.created_at = rfc3339(connection.created_at);
  registry.updated_at = rfc3339(connection.updated_at);
  return registry;
}

Result<connect::Kind> kind_of(const RegistryBody& body) {
  auto kind = connect::parse_swr_type(body.type);
  if (!kind)
    return fail(Reason::invalid_parameter, "type must be swr-pro, swr-pro-internal or huawei-SWR", "type");
  if (body.credential.type != "basic")
    return fail(Reason::invalid_parameter, "credential type must be basic", "credential");
  return *kind;
}

std::string vendor_of(const RegistryBody& body) {
  boost::json::object vendor{{"type", body.type}};
  if (body.project_id) vendor["project_id"] = *body.project_id;
  if (body.region_id) vendor["region_id"] = *body.region_id;
  if (body.instance_id) vendor["instance_id"] = *body.instance_id;
  if (body.dns_conf) {
    boost::json::object hosts;
    for (const auto& [name, address] : body.dns_conf->hosts) hosts[name] = address;
    vendor["dns_hosts"] = hosts;
  }
  return boost::json::serialize(vendor);
}

// One side of a policy is ours and left out; the other is a registry.
Result<sync::Rule> to_domain(Call& call, const PolicyBody& body) {
  bool one_side = body.src_registry.has_value() != body.dest_registry.has_value();
  if (!one_side) {
    return fail(Reason::invalid_parameter, "exactly one of src_registry and dest_registry must be given",
                "dest_registry");
  }
  sync::Rule rule;
  rule.name = body.name;
  rule.description = body.description.value_or("");
  rule.direction = body.dest_registry ? sync::Direction::push : sync::Direction::pull;
  rule.connection_id = body.dest_registry ? body.dest_registry->id : body.src_registry->id;
  TRY(auto connection, op::invoke<connect::ops::GetConnection>(call.rooms.connections, call.context,
                                                               {.id = rule.connection_id, .uuid = {}}));
  (void)connection;
  rule.patterns = sync::Patterns::glob;
  for (const auto& filter : body.filters) {
    (filter.type == "name" ? rule.repository_pattern : rule.tag_pattern) = filter.value;
  }
  // A pattern that begins with a plain namespace belongs to that namespace and its maintainers.
  auto slash = rule.repository_pattern.find('/');
  std::string first = rule.repository_pattern.substr(0, slash);
  bool plain = slash != std::string::npos && first.find_first_of("*?{}") == std::string::npos;
  if (plain) rule.source_namespace = first;
  rule.target_namespace = body.dest_namespace.value_or("");
  rule.trigger = parse_trigger(body.trigger.type);
  if (body.trigger.trigger_settings) rule.cron = body.trigger.trigger_settings->cron.value_or("");
  rule.overwrite = body.replace.value_or(false);
  rule.enabled = body.enabled;
  rule.extras = boost::json::serialize(boost::json::object{{"repo_scope_mode", body.repo_scope_mode}});
  return rule;
}

Policy to_wire(const sync::Rule& rule) {
  Policy policy;
  policy.id = narrow(rule.id);
  policy.name = rule.name;
  policy.description = rule.description;
  (rule.direction == sync::Direction::push ? policy.dest_registry : policy.src_registry) =
      RegistryRef{rule.connection_id};
  policy.dest_namespace = rule.target_namespace;
  if (!rule.repository_pattern.empty()) policy.filters.push_back({"name", rule.repository_pattern});
  if (!rule.tag_pattern.empty()) policy.filters.push_back({"tag", rule.tag_pattern});
  policy.repo_scope_mode = remembered(rule.extras, "repo_scope_mode").value_or("regular");
  policy.trigger.type = trigger_of(rule.trigger);
  if (!rule.cron.empty()) policy.trigger.trigger_settings = TriggerSettings{rule.cron};
  policy.replace = rule.overwrite;
  policy.enabled = rule.enabled;
  policy.created_at = rfc3339(rule.created_at);
  policy.updated_at = rfc3339(rule.updated_at);
  return policy;
}

Execution to_wire(const sync::Execution& from) {
  return {narrow(from.id),
          narrow(from.rule_id),
          std::string(status_of(from.state)),
          from.text,
          narrow(from.total),
          narrow(from.failed),
          narrow(from.succeeded),
          narrow(from.running),
          narrow(from.canceled),
          std::string(trigger_of(from.cause)),
          rfc3339(from.created_at),
          rfc3339(from.ended_at ? from.ended_at : from.created_at)};
}

Task to_wire(const sync::Group& group) {
  return {narrow(group.id),
          narrow(group.execution_id),
          "image",
          group.source,
          group.target,
          "copy",
          group.job_id,
          std::string(status_of(group.state)),
          narrow(group.revision),
          rfc3339(group.created_at),
          time_text(group.ended_at)};
}

SubTask to_wire(const sync::Task& task) {
  return {narrow(task.id),
          task.job_id,
          task.from.namespace_name,
          task.from.repository,
          task.from.tag,
          task.digest,
          std::string(status_of(task.state)),
          task.text,
          rfc3339(task.created_at),
          time_text(task.ended_at)};
}

// ---- registries

Result<IdReply> create_registry(Call& call, const InstancePath& path, const RegistryBody& body) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  connect::NewConnection wanted;
  TRY(wanted.kind, kind_of(body));
  wanted.name = body.name;
  wanted.description = body.description.value_or("");
  wanted.url = body.url;
  wanted.verify_tls = !body.insecure;
  wanted.username = body.credential.access_key;
  wanted.password = body.credential.access_secret;
  wanted.vendor.swr = vendor_of(body);
  TRY(auto made, op::invoke<connect::ops::CreateConnection>(call.rooms.connections, call.context, wanted));
  return IdReply{narrow(made.id)};
}

Result<RegistryList> list_registries(Call& call, const RegistryListQuery& query, const NoBody&) {
  TRY_STATUS(check_instance(call, query.project_id, query.instance_id));
  TRY(auto slice, swr_page(query.offset, query.limit));
  connect::Filter filter;
  filter.name_contains = query.name.value_or("");
  filter.not_kinds = {connect::Kind::own, connect::Kind::cicd};
  std::string column = query.order_column.value_or("");
  filter.order = column == "name"         ? connect::Filter::Order::name
                 : column == "updated_at" ? connect::Filter::Order::updated
                                          : connect::Filter::Order::created;
  filter.descending = query.order_type.value_or("desc") == "desc";
  if (query.type) {
    auto kind = connect::parse_swr_type(*query.type);
    if (!kind) return fail(Reason::invalid_parameter, "there is no such type", "type");
    filter.kinds = {*kind};
  }
  TRY(auto page,
      op::invoke<connect::ops::ListConnections>(call.rooms.connections, call.context, {filter, slice}));
  RegistryList list;
  for (const auto& connection : page.items) list.registries.push_back(to_wire(connection));
  list.total = narrow(page.total);
  return list;
}

Result<Registry> show_registry(Call& call, const RegistryPath& path, const NoBody&) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  TRY(auto connection, op::invoke<connect::ops::GetConnection>(call.rooms.connections, call.context,
                                                               {.id = path.registry_id, .uuid = {}}));
  return to_wire(connection);
}

Result<Empty> update_registry(Call& call, const RegistryPath& path, const RegistryBody& body) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  connect::Change change;
  TRY(change.kind, kind_of(body));
  change.name = body.name;
  change.description = body.description;
  change.url = body.url;
  change.verify_tls = !body.insecure;
  change.username = body.credential.access_key;
  change.password = body.credential.access_secret;
  change.swr = vendor_of(body);
  TRY(auto updated,
      op::invoke<connect::ops::UpdateConnection>(call.rooms.connections, call.context,
                                                 {{.id = path.registry_id, .uuid = {}}, change}));
  (void)updated;
  return Empty{};
}

Result<Empty> delete_registry(Call& call, const RegistryPath& path, const NoBody&) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  TRY(auto deleted, op::invoke<connect::ops::DeleteConnections>(call.rooms.connections, call.context,
                                                                {{{.id = path.registry_id, .uuid = {}}}}));
  (void)deleted;
  return Empty{};
}

// ---- policies

Result<IdReply> create_policy(Call& call, const InstancePath& path, const PolicyBody& body) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  TRY(auto rule, to_domain(call, body));
  TRY(auto made, op::invoke<sync::ops::CreateRule>(call.rooms.sync, call.context, rule));
  return IdReply{narrow(made.id)};
}

Result<PolicyList> list_policies(Call& call, const PolicyListQuery& query, const NoBody&) {
  TRY_STATUS(check_instance(call, query.project_id, query.instance_id));
  TRY(auto slice, swr_page(query.offset, query.limit));
  sync::RuleFilter filter;
  filter.name_contains = query.name.value_or("");
  filter.connection_id = query.registry_id.value_or(0);
  filter.patterns = sync::Patterns::glob;
  filter.descending = query.order_type.value_or("desc") == "desc";
  TRY(auto page, op::invoke<sync::ops::ListRules>(call.rooms.sync, call.context, {filter, slice}));
  PolicyList list;
  for (const auto& rule : page.items) list.policies.push_back(to_wire(rule));
  list.total = narrow(page.total);
  return list;
}

Result<Policy> show_policy(Call& call, const PolicyPath& path, const NoBody&) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  TRY(auto rule,
      op::invoke<sync::ops::GetRule>(call.rooms.sync, call.context, {.id = path.policy_id, .public_id = {}}));
  return to_wire(rule);
}

Result<Empty> update_policy(Call& call, const PolicyPath& path, const PolicyBody& body) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  TRY(auto rule, to_domain(call, body));
  rule.id = path.policy_id;
  TRY(auto updated, op::invoke<sync::ops::UpdateRule>(call.rooms.sync, call.context, rule));
  (void)updated;
  return Empty{};
}

Result<Empty> delete_policy(Call& call, const PolicyPath& path, const NoBody&) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  TRY(auto deleted, op::invoke<sync::ops::DeleteRule>(call.rooms.sync, call.context,
                                                      {.id = path.policy_id, .public_id = {}}));
  (void)deleted;
  return Empty{};
}

// ---- executions

Result<IdReply> execute_policy(Call& call, const InstancePath& path, const ExecuteBody& body) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  TRY(auto started, op::invoke<sync::ops::ExecuteRule>(call.rooms.sync, call.context,
                                                       {.id = body.policy_id, .public_id = {}}));
  return IdReply{narrow(started.execution_id)};
}

Result<ExecutionList> list_executions(Call& call, const ExecutionListQuery& query, const NoBody&) {
  TRY_STATUS(check_instance(call, query.project_id, query.instance_id));
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page, op::invoke<sync::ops::ListExecutions>(call.rooms.sync, call.context,
                                                       {query.policy_id.value_or(0), slice}));
  ExecutionList list;
  for (const auto& execution : page.items) list.executions.push_back(to_wire(execution));
  list.total = narrow(page.total);
  return list;
}

Result<Execution> show_execution(Call& call, const ExecutionPath& path, const NoBody&) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  TRY(auto execution,
      op::invoke<sync::ops::GetExecution>(call.rooms.sync, call.context, {path.execution_id}));
  return to_wire(execution);
}

Result<Empty> stop_execution(Call& call, const ExecutionPath& path, const NoBody&) {
  TRY_STATUS(check_instance(call, path.project_id, path.instance_id));
  TRY(auto stopped, op::invoke<sync::ops::StopExecution>(call.rooms.sync, call.context, {path.execution_id}));
  (void)stopped;
  return Empty{};
}

Result<TaskList> list_tasks(Call& call, const TaskListQuery& query, const NoBody&) {
  TRY_STATUS(check_instance(call, query.project_id, query.instance_id));
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page,
      op::invoke<sync::ops::ListGroups>(call.rooms.sync, call.context, {query.execution_id, slice}));
  TaskList list;
  for (const auto& group : page.items) list.tasks.push_back(to_wire(group));
  list.total = narrow(page.total);
  return list;
}

Result<SubTaskList> list_sub_tasks(Call& call, const SubTaskListQuery& query, const NoBody&) {
  TRY_STATUS(check_instance(call, query.project_id, query.instance_id));
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page, op::invoke<sync::ops::ListGroupTasks>(
                     call.rooms.sync, call.context,
                     {query.execution_id, query.task_id, parse_status(query.status), slice}));
  SubTaskList list;
  for (const auto& task : page.items) list.sub_tasks.push_back(to_wire(task));
  list.total = narrow(page.total);
  return list;
}

}  // namespace

std::span<const Route> replication_routes() {
  static constexpr std::array table{
      route<&create_registry>("POST", "/v2/{project_id}/instances/{instance_id}/registries", 201),
      route<&list_registries>("GET", "/v2/{project_id}/instances/{instance_id}/registries"),
      route<&show_registry>("GET", "/v2/{project_id}/instances/{instance_id}/registries/{registry_id}"),
      route<&update_registry>("PUT", "/v2/{project_id}/instances/{instance_id}/registries/{registry_id}"),
      route<&delete_registry>("DELETE", "/v2/{project_id}/instances/{instance_id}/registries/{registry_id}"),
      route<&create_policy>("POST", "/v2/{project_id}/instances/{instance_id}/replication/policies", 201),
      route<&list_policies>("GET", "/v2/{project_id}/instances/{instance_id}/replication/policies"),
      route<&show_policy>("GET", "/v2/{project_id}/instances/{instance_id}/replication/policies/{policy_id}"),
      route<&update_policy>("PUT",
                            "/v2/{project_id}/instances/{instance_id}/replication/policies/{policy_id}"),
      route<&delete_policy>("DELETE",
                            "/v2/{project_id}/instances/{instance_id}/replication/policies/{policy_id}"),
      route<&execute_policy>("POST", "/v2/{project_id}/instances/{instance_id}/replication/executions", 201),
      route<&list_executions>("GET", "/v2/{project_id}/instances/{instance_id}/replication/executions"),
      route<&show_execution>(
          "GET", "/v2/{project_id}/instances/{instance_id}/replication/executions/{execution_id}"),
      route<&stop_execution>(
          "PUT", "/v2/{project_id}/instances/{instance_id}/replication/executions/{execution_id}"),
      route<&list_tasks>(
          "GET", "/v2/{project_id}/instances/{instance_id}/replication/executions/{execution_id}/tasks"),
      route<&list_sub_tasks>(
          "GET",
          "/v2/{project_id}/instances/{instance_id}/replication/executions/{execution_id}/tasks/"
          "{task_id}/subtasks"),
  };
  return table;
}

}  // namespace wharfage::huawei
