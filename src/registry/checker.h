// Registry::check(): every row and every file, page by page, held against each other. Reads in short
// transactions; what looks wrong is judged again in a write transaction of its own, so that nothing which is
// only on its way is told of, and is mended there if that was asked for. Figures are held against rows of the
// same snapshot instead: counting them may take long.
#pragma once

#include "registry/doctor.h"
#include "registry/document.h"
#include "registry/state.h"

namespace wharfage::registry {

class Registry::Checker {
 public:
  Checker(State& state, bool mend, TimeMs settled_ms, Follower& follower)
      : x_state(state),
        x_mend(mend),
        x_settled_ms(settled_ms),
        x_follower(follower),
        x_doctor(state, follower, mend) {}
  Status run();

 private:
  // ---- bytes (checker.cc)
  Status blobs();
  Status files();
  Status unknown_file(meta::Tx& tx, const blob::FileInfo& file);
  Status links();
  Status link(meta::Tx& tx, const records::Place& place);
  Status stale_references(meta::Tx& tx, const records::Place& place, const std::string& name);
  // ---- images (checker_images.cc)
  Status manifests();
  Status manifest(const records::ManifestAt& manifest);
  Status references(meta::Tx& tx, const records::ManifestAt& manifest, const Document& document);
  Status reference(meta::Tx& tx, const Manifest& manifest, const Descriptor& to, bool may_be_child);
  Status tags();
  Status dangling_tag(meta::Tx& tx, const records::TagAt& tag);
  // ---- figures (checker_counts.cc)
  Status counts();
  Status counts_of(std::int64_t repository_id);  // 0: of the whole store
  Status usages();
  struct WrongUsage {
    std::int64_t namespace_id = 0;
    NamespaceUsage kept, right;
  };
  Status settle_usage(meta::Tx& tx, const WrongUsage& wrong);

  // Tells once the transaction has been committed.
  void tell(meta::Tx& tx, Finding finding);
  Result<std::string> name_of(meta::Tx& tx, std::int64_t repository_id);

  State& x_state;
  const bool x_mend;
  const TimeMs x_settled_ms;
  Follower& x_follower;
  BlobDoctor x_doctor;
};

}  // namespace wharfage::registry
