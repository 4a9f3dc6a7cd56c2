// Writing one signature: what the image's signature tag holds is read, extended and written back, provided
// that nobody moved the tag in between; then it is read again. So signatures of other nodes, of cosign and of
// other keys are never lost. The same key and digest again is a success without a new signature.
#pragma once

#include <string>

#include "crypto/keys.h"
#include "registry/registry.h"

namespace wharfage::sign {

// Writers of one signature tag that may overtake each other; every lost attempt is another one's success.
constexpr int sign_attempts_max = 16;

// Signs `digest` of the repository, as `host`/repository; the digest of the signature's manifest. Errors:
// manifest_unknown, manifest_invalid (the tag holds something else), conflict (too many signatures, or too
// many others write at once).
Result<std::string> sign_image(registry::Registry& registry, const registry::Repository& repository,
                               const std::string& digest, const crypto::EcdsaKey& key,
                               const std::string& host);

}  // namespace wharfage::sign
