// The operations of building. Facades call these through op::invoke, which decides what the caller may do.
// Repositories are named by their public id ("crr-…"), rules and records by theirs; a rule or record of
// another repository than the one named does not exist.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "build/builds.h"
#include "op/operation.h"

namespace wharfage::build {

// ---- source providers: the installation's, for administrators

struct CreateProvider {
  static constexpr op::Declaration declaration{"build:CreateProvider", auth::Access::administer};
  struct Request {
    Provider provider;   // id and times are set by us
    std::string secret;  // token or private key
  };
  using Response = Provider;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct UpdateProvider {
  static constexpr op::Declaration declaration{"build:UpdateProvider", auth::Access::administer};
  struct Request {
    Provider provider;   // found by its name
    std::string secret;  // "": unchanged
  };
  using Response = Provider;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct GetProvider {
  static constexpr op::Declaration declaration{"build:GetProvider", auth::Access::administer};
  struct Request {
    std::string name;
  };
  using Response = Provider;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct ListProviders {
  static constexpr op::Declaration declaration{"build:ListProviders", auth::Access::administer};
  struct Request {
    std::int64_t offset = 0, limit = 50;
  };
  using Response = Page<Provider>;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct DeleteProvider {
  static constexpr op::Declaration declaration{"build:DeleteProvider", auth::Access::administer};
  struct Request {
    std::string name;
  };
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

// ---- what a repository is built from

struct SourceRequest {
  std::string repository_id;
  Builds::NewSource source;
  // Needs a webhook or polling, which this registry does not have: refused rather than ignored.
  bool auto_build = false;
};

struct CreateSource {
  static constexpr op::Declaration declaration{"build:CreateSource", auth::Access::manage};
  using Request = SourceRequest;
  using Response = Source;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct UpdateSource {
  static constexpr op::Declaration declaration{"build:UpdateSource", auth::Access::manage};
  using Request = SourceRequest;
  using Response = Source;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct RepositoryRequest {
  std::string repository_id;
};

struct GetSource {
  static constexpr op::Declaration declaration{"build:GetSource", auth::Access::read};
  using Request = RepositoryRequest;
  using Response = Source;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct DeleteSource {
  static constexpr op::Declaration declaration{"build:DeleteSource", auth::Access::manage};
  using Request = RepositoryRequest;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

// ---- rules

struct CreateRule {
  static constexpr op::Declaration declaration{"build:CreateRule", auth::Access::manage};
  struct Request {
    std::string repository_id;
    Recipe recipe;
  };
  using Response = Rule;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct RuleRequest {
  std::string repository_id, rule_id;
};

struct UpdateRule {
  static constexpr op::Declaration declaration{"build:UpdateRule", auth::Access::manage};
  // Absent: unchanged.
  struct Request : RuleRequest {
    std::optional<std::string> push_type, push_name, image_tag, dockerfile_location, dockerfile_name;
    std::optional<std::vector<std::string>> arguments, platforms;
  };
  using Response = Rule;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct GetRule {
  static constexpr op::Declaration declaration{"build:GetRule", auth::Access::read};
  using Request = RuleRequest;
  using Response = Rule;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct PageRequest {
  std::string repository_id;
  std::int64_t offset = 0, limit = 30;
};

struct ListRules {
  static constexpr op::Declaration declaration{"build:ListRules", auth::Access::read};
  using Request = PageRequest;
  using Response = Page<Rule>;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct DeleteRule {
  static constexpr op::Declaration declaration{"build:DeleteRule", auth::Access::manage};
  using Request = RuleRequest;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

// ---- builds

struct CreateRecordByRule {
  static constexpr op::Declaration declaration{"build:CreateRecord", auth::Access::write};
  using Request = RuleRequest;
  using Response = Record;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct RecordRequest {
  std::string record_id;      // a UUID in any case
  std::string repository_id;  // "": whatever repository it belongs to
};

// The same recipe again, at the ref's present commit.
struct CreateRecordByRecord {
  static constexpr op::Declaration declaration{"build:CreateRecordByRecord", auth::Access::write};
  using Request = RecordRequest;
  using Response = Record;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct GetRecord {
  static constexpr op::Declaration declaration{"build:GetRecord", auth::Access::read};
  using Request = RecordRequest;
  using Response = Record;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct GetRecordStatus {
  static constexpr op::Declaration declaration{"build:GetRecordStatus", auth::Access::read};
  using Request = RecordRequest;
  using Response = Progress;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct ListRecords {
  static constexpr op::Declaration declaration{"build:ListRecords", auth::Access::read};
  using Request = PageRequest;
  using Response = Page<Record>;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct ListRecordLog {
  static constexpr op::Declaration declaration{"build:ListRecordLog", auth::Access::read};
  struct Request : RecordRequest {
    std::int64_t offset = 0, limit = 100;  // lines after `offset`
  };
  using Response = job::Queue::LogPage;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

struct CancelRecord {
  static constexpr op::Declaration declaration{"build:CancelRecord", auth::Access::write};
  using Request = RecordRequest;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
  static Result<Response> run(Builds& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::build
