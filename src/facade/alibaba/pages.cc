#include <algorithm>

#include "base/text.h"
#include "facade/alibaba/action.h"

namespace wharfage::alibaba {
namespace {

constexpr std::int64_t page_size_max = 100, page_number_max = 1'000'000;
constexpr std::string_view token_head = "offset:";

}  // namespace

Result<PageOf> page_of(std::optional<std::int64_t> number, std::optional<std::int64_t> size) {
  PageOf page{number.value_or(1), size.value_or(30)};
  if (page.number < 1 || page.number > page_number_max) {
    return fail(Reason::invalid_parameter, "PageNo must be 1 or more.", "PageNo");
  }
  if (page.size < 1)
    return fail(Reason::invalid_parameter, "PageSize must be between 1 and 100.", "PageSize");
  page.size = std::min(page.size, page_size_max);
  return page;
}

std::optional<std::int64_t> Window::max_results() const {
  return by_token ? std::optional(page.size) : std::nullopt;
}

std::optional<std::string> Window::next_token(std::int64_t total) const {
  std::int64_t next = offset + page.size;
  if (!by_token || next >= total) return std::nullopt;
  return base64_url(std::string(token_head) + std::to_string(next));
}

Result<Window> window_of(PageOf page, std::optional<std::int64_t> max_results, const std::string& token) {
  Window window{page, max_results || !token.empty(), page.offset()};
  if (!window.by_token) return window;
  std::int64_t size = max_results.value_or(page.size);
  if (size < 1) return fail(Reason::invalid_parameter, "MaxResults must be 1 or more.", "MaxResults");
  window.page = {1, std::min(size, page_size_max)};
  window.offset = 0;
  if (token.empty()) return window;
  auto text = unbase64(token);
  bool ours = text.ok() && text->rfind(token_head, 0) == 0;
  auto offset = ours ? parse_integer(std::string_view(*text).substr(token_head.size())) : std::nullopt;
  if (!offset || *offset < 0 || *offset > page_number_max * page_size_max) {
    return fail(Reason::invalid_parameter, "NextToken is not one that we gave out.", "NextToken");
  }
  window.offset = *offset;
  window.page.number = *offset / window.page.size + 1;
  return window;
}

Result<registry::ops::RepositoryRef> repository_of(const std::string& id, const std::string& namespace_name,
                                                   const std::string& name) {
  bool named = !namespace_name.empty() && !name.empty();
  if (id.empty() && !named) {
    return fail(Reason::missing_parameter, "RepoId, or RepoNamespaceName and RepoName, are required.",
                "RepoId");
  }
  return registry::ops::RepositoryRef{.namespace_name = namespace_name, .name = name, .public_id = id};
}

std::string bare(const Digest& digest) {
  return digest.algorithm() == DigestAlgorithm::sha256 ? std::string(digest.hex()) : digest.text();
}

Status check_instance(const Call& call, const std::string& instance_id) {
  if (instance_id == call.rooms.registry.instance().cri_id) return {};
  return fail(Reason::instance_unknown, "The instance does not exist.", instance_id);
}

}  // namespace wharfage::alibaba
