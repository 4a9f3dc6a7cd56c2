// One row of the action table: a wire name, its fields, its envelope and the function between them. A binding
// is
//
//   Result<Reply> get_record(Call& call, const Query& query);   // Query and Reply declare their wire fields
//   action<&get_record>("GetRepoBuildRecord")
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "facade/alibaba/alibaba.h"
#include "op/operation.h"
#include "registry/ops/scope.h"
#include "wire/schema.h"

namespace wharfage::alibaba {

// A request that has been authenticated and is being answered.
struct Call {
  Rooms& rooms;
  op::Context context;
  const Options& options;
  std::string request_id;  // upper-case UUID; also the id of a scan task it starts
};

// What stands beside the reply's own members (the SDKs check these types).
enum class Envelope {
  cr,          // Code:"success", IsSuccess:true, RequestId
  cr_number,   // Code:200, RequestId           (CreateScanRule, UpdateScanRule, …)
  cr_text,     // Code:"success", RequestId     (DeleteScanRule, …)
  request_id,  // RequestId                     (tags, sas)
};

struct Action {
  std::string_view name;
  Envelope envelope = Envelope::cr;
  Result<std::string> (*run)(Call&, const Params&) = nullptr;  // the reply as a JSON object
  std::span<const wire::Field> (*request)() = nullptr;
  std::span<const wire::Field> (*reply)() = nullptr;
};

// A reply without members of its own.
struct Empty {
  static constexpr auto fields() { return std::array<wire::Field, 0>{}; }
};

namespace detail {
// Its types are arguments of their own, so that bindings of file-local types stay local (wire/schema.h,
// Access).
template <class Query, class Reply, Result<Reply> (*Run)(Call&, const Query&)>
struct Binding {
  static Result<std::string> run(Call& call, const Params& params) {
    TRY(Query query, wire::decode_params<Query>(params));
    TRY(Reply reply, Run(call, query));
    return wire::encode_json(reply);
  }
};
template <auto Run, class Query, class Reply>
constexpr Action make_action(Result<Reply> (*)(Call&, const Query&), std::string_view name,
                             Envelope envelope) {
  return {name, envelope, &Binding<Query, Reply, Run>::run, &wire::fields_of<Query>, &wire::fields_of<Reply>};
}
}  // namespace detail

template <auto Run>
constexpr Action action(std::string_view name, Envelope envelope = Envelope::cr) {
  return detail::make_action<Run>(Run, name, envelope);
}

constexpr std::string_view cr_version = "2018-12-01";
constexpr std::string_view sas_version = "2018-12-03";

// Nullptr when there is no such action in that version.
const Action* find_action(std::string_view version, std::string_view name);
bool known_version(std::string_view version);
std::vector<const Action*> actions(std::string_view version);  // for documentation and tests

// Every family of actions is one file; the table lists them all (table.cc).
std::span<const Action> instance_actions();
std::span<const Action> endpoint_actions();
std::span<const Action> namespace_actions();
std::span<const Action> repository_actions();
std::span<const Action> tag_actions();
std::span<const Action> source_actions();
std::span<const Action> build_rule_actions();
std::span<const Action> build_record_actions();
std::span<const Action> scan_actions();
std::span<const Action> scan_rule_actions();
std::span<const Action> sync_rule_actions();
std::span<const Action> sync_task_actions();
std::span<const Action> sas_actions();

// cr: PageNo from 1, PageSize 30 unless given, 100 at most (clamped). Error: invalid_parameter below 1.
struct PageOf {
  std::int64_t number = 1, size = 30;
  std::int64_t offset() const { return (number - 1) * size; }
};
Result<PageOf> page_of(std::optional<std::int64_t> number, std::optional<std::int64_t> size);

// The two lists that can also be read with MaxResults and NextToken, an opaque text that the answer before
// gave out. Whichever of the two ways a request speaks is answered.
struct Window {
  PageOf page;
  bool by_token = false;
  std::int64_t offset = 0;
  // What the answer says; nothing where the request counts pages, no token on the last one.
  std::optional<std::int64_t> max_results() const;
  std::optional<std::string> next_token(std::int64_t total) const;
};
// Error: invalid_parameter (also for a token that we did not make).
Result<Window> window_of(PageOf page, std::optional<std::int64_t> max_results, const std::string& token);

// How a request names a repository: RepoId, or RepoNamespaceName and RepoName. Error: missing_parameter.
Result<registry::ops::RepositoryRef> repository_of(const std::string& id, const std::string& namespace_name,
                                                   const std::string& name);
// A digest as cr shows it: without its "sha256:".
std::string bare(const Digest& digest);
// The InstanceId of a request must be ours. Error: instance_unknown.
Status check_instance(const Call& call, const std::string& instance_id);

}  // namespace wharfage::alibaba
