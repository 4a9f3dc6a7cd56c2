// Signing keys: Huawei policies name a key of KMS, which is made here.
#include "facade/native/route.h"
#include "sign/ops.h"

namespace wharfage::native {
namespace {

using wire::field;
using wire::required;

struct NoQuery {
  static constexpr auto fields() { return std::array<wire::Field, 0>{}; }
};
struct KeyQuery {
  std::string id;
  static constexpr auto fields() { return std::array{field<&KeyQuery::id>("id", required)}; }
};
struct NewKey {
  std::string name;
  static constexpr auto fields() { return std::array{field<&NewKey::name>("name", required).range(1, 128)}; }
};
struct Key {
  std::string id;
  std::string name;
  std::string algorithm;
  std::string public_key;
  std::string created_at;
  static constexpr auto fields() {
    return std::array{field<&Key::id>("id"), field<&Key::name>("name"), field<&Key::algorithm>("algorithm"),
                      field<&Key::public_key>("public_key").about("PEM, as cosign verify --key takes it"),
                      field<&Key::created_at>("created_at")};
  }
};
struct KeyList {
  std::vector<Key> items;
  static constexpr auto fields() { return std::array{field<&KeyList::items>("items")}; }
};

Key to_wire(const sign::Key& key) {
  return {key.uuid, key.name, "ECDSA_SHA_256", key.public_pem, rfc3339(key.created_at)};
}

Result<Key> create_key(Call& call, const NoQuery&, const NewKey& body) {
  TRY(auto key, op::invoke<sign::CreateKey>(call.rooms.signing, call.context, {body.name}));
  return to_wire(key);
}

Result<KeyList> list_keys(Call& call, const NoQuery&, const NoBody&) {
  TRY(auto keys, op::invoke<sign::ListKeys>(call.rooms.signing, call.context, {}));
  KeyList list;
  for (const auto& key : keys) list.items.push_back(to_wire(key));
  return list;
}

Result<Key> get_key(Call& call, const KeyQuery& query, const NoBody&) {
  TRY(auto key, op::invoke<sign::GetKey>(call.rooms.signing, call.context, {query.id}));
  return to_wire(key);
}

Result<Empty> delete_key(Call& call, const KeyQuery& query, const NoBody&) {
  TRY_STATUS(op::invoke<sign::DeleteKey>(call.rooms.signing, call.context, {query.id}));
  return Empty{};
}

}  // namespace

std::span<const Route> sign_routes() {
  static constexpr std::array table{
      route<&create_key>("POST", "/api/v1/signing-keys", 201).about("create an ECDSA P-256 signing key"),
      route<&list_keys>("GET", "/api/v1/signing-keys").about("list signing keys"),
      route<&get_key>("GET", "/api/v1/signing-keys/{id}").about("show a signing key with its public key"),
      route<&delete_key>("DELETE", "/api/v1/signing-keys/{id}").about("delete a signing key no policy uses"),
  };
  return table;
}

}  // namespace wharfage::native
