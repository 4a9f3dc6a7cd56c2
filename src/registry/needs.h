// What a manifest needs of its repository, as its own bytes say. References are kept by blob and not by
// manifest: so those of a repository lie in one place, in the order of its links, and are written and removed
// with few pages. Within the caller's transaction; errors are the database's.
#pragma once

#include <string>
#include <vector>

#include "registry/document.h"
#include "registry/registry.h"

namespace wharfage::registry {

// Config, layers and children, each once, children's blobs among them.
std::vector<std::string> digests_in(const Document& document);

// Of a manifest whose bytes are damaged or were taken by other rules than today's: what it was found to need
// when it came, which costs a walk over its repository's references.
Result<std::vector<std::string>> needs_of(meta::Tx& tx, const Manifest& manifest);

// It goes for good, and has no tags any more. Blobs that nothing else of its repository needs become loose.
Status remove_manifest(meta::Tx& tx, const Manifest& manifest, TimeMs now);

}  // namespace wharfage::registry
