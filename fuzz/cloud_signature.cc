// Signed requests of both clouds. The input is a request as it comes over the wire, its body to the end.
#include "crypto/cloud_signature.h"
#include "http/parser.h"
#include "input.h"

using namespace wharfage;

namespace {

void check(const Result<crypto::SignatureClaim>& claim) {
  if (!claim.ok()) return;
  (void)crypto::signature_time(*claim);
  fuzz::demand(!crypto::check_signature(*claim, "a secret that nobody signed with").ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  http::RequestParser parser;
  if (parser.read_head(text) != http::RequestParser::Found::head) return 0;
  std::string_view body = text.substr(parser.head_size());
  http::Request request = parser.take_head().request;
  crypto::SignedRequest parts{request.method, request.path, request.query, request.headers.fields(), body};
  check(crypto::read_alibaba_signature(parts));
  check(crypto::read_huawei_signature(parts));
  return 0;
}
