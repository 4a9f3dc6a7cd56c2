#include <openssl/x509v3.h>

#include "http/tls_state.h"

namespace wharfage::http {
namespace {

// The text of a string inside a certificate; empty when it holds a zero byte, which is always an attempt to
// look like somebody else.
std::string text_of(const ASN1_STRING* string) {
  auto bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  std::string text(bytes, static_cast<std::size_t>(ASN1_STRING_length(string)));
  return text.find('\0') == std::string::npos ? text : std::string();
}

std::string common_name_of(X509_NAME* subject) {
  int at = -1, last = -1;
  while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) last = at;
  if (last < 0) return {};
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
}

std::string whole_subject(X509_NAME* subject) {
  std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  char* bytes = nullptr;
  if (!out || X509_NAME_print_ex(out.get(), subject, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
    return {};
  long size = BIO_get_mem_data(out.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> names;
  void* found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr);
  std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> list(static_cast<GENERAL_NAMES*>(found),
                                                                     GENERAL_NAMES_free);
  for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) {
    int type = 0;
    void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list.get(), i), &type);
    if (type != GEN_DNS && type != GEN_EMAIL && type != GEN_URI) continue;
    if (std::string name = text_of(static_cast<ASN1_STRING*>(value)); !name.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace

std::shared_ptr<const ClientCertificate> describe(X509& certificate) {
  X509_NAME* subject = X509_get_subject_name(&certificate);
  return std::make_shared<ClientCertificate>(
      ClientCertificate{whole_subject(subject), common_name_of(subject), alternative_names(&certificate)});
}

}  // namespace wharfage::http
