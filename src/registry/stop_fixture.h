// For tests only: a database and a blob store that let another node in at a chosen point: before a
// transaction, after bytes were published, around a removal. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blob/store.h"
#include "meta/db.h"

namespace wharfage::registry {

// Calls `interrupt` once, at the visit numbered `at`.
struct Stop {
  int at = 0, visits = 0;
  std::function<void()> interrupt;
  void visit() {
    if (++visits == at) interrupt();
  }
};

class StoppedDb final : public meta::Db {
 public:
  StoppedDb(meta::Db& db, Stop& stop) : x_db(db), x_stop(stop) {}
  Status backup(const std::string& file) override { return x_db.backup(file); }
  Status ping() override { return x_db.ping(); }

 private:
  Status write_any(const Work& work) override {
    x_stop.visit();
    return x_db.write(work);
  }
  Status read_any(const Work& work) override {
    x_stop.visit();
    return x_db.read(work);
  }
  meta::Db& x_db;
  Stop& x_stop;
};

class StoppedWriter final : public blob::Writer {
 public:
  StoppedWriter(std::unique_ptr<blob::Writer> writer, Stop& stop)
      : x_writer(std::move(writer)), x_stop(stop) {}
  std::int64_t size() const override { return x_writer->size(); }
  Status append(std::string_view bytes) override { return x_writer->append(bytes); }
  Status flush() override { return x_writer->flush(); }
  Status commit(const Digest& expected) override {
    TRY_STATUS(x_writer->commit(expected));
    x_stop.visit();
    return {};
  }

 private:
  std::unique_ptr<blob::Writer> x_writer;
  Stop& x_stop;
};

class StoppedStore final : public blob::Store {
 public:
  StoppedStore(blob::Store& store, Stop& stop) : x_store(store), x_stop(stop) {}
  Result<std::string> begin_upload() override { return x_store.begin_upload(); }
  Result<std::unique_ptr<blob::Writer>> open_upload(const std::string& id,
                                                    DigestAlgorithm algorithm) override {
    TRY(auto writer, x_store.open_upload(id, algorithm));
    return std::unique_ptr<blob::Writer>(std::make_unique<StoppedWriter>(std::move(writer), x_stop));
  }
  Result<std::unique_ptr<blob::Writer>> start_upload(const std::string& id,
                                                     DigestAlgorithm algorithm) override {
    TRY(auto writer, x_store.start_upload(id, algorithm));
    return std::unique_ptr<blob::Writer>(std::make_unique<StoppedWriter>(std::move(writer), x_stop));
  }
  Result<std::int64_t> upload_size(const std::string& id) override { return x_store.upload_size(id); }
  Status cancel_upload(const std::string& id) override { return x_store.cancel_upload(id); }
  Result<std::vector<blob::UploadInfo>> uploads() override { return x_store.uploads(); }
  Result<blob::Blob> open_blob(const Digest& digest) override { return x_store.open_blob(digest); }
  Result<std::optional<std::int64_t>> find_size(const Digest& digest) override {
    return x_store.find_size(digest);
  }
  Result<Digest> put(std::string_view bytes) override {
    TRY(Digest digest, x_store.put(bytes));
    x_stop.visit();
    return digest;
  }
  blob::Claims& claims() override { return x_store.claims(); }
  Result<Removal> remove(const Digest& digest, blob::Claims::Mark mark) override {
    x_stop.visit();
    auto removal = x_store.remove(digest, mark);
    x_stop.visit();
    return removal;
  }
  Result<blob::Listing> list(blob::Area area, const std::optional<Digest>& after,
                             std::size_t limit) override {
    return x_store.list(area, after, limit);
  }
  Result<bool> quarantine(const Digest& digest, const blob::Blob& seen) override {
    return x_store.quarantine(digest, seen);
  }
  Result<std::int64_t> discard_quarantined(const Digest& digest) override {
    return x_store.discard_quarantined(digest);
  }
  Result<std::int64_t> free_bytes() override { return x_store.free_bytes(); }
  Status check_writable() override { return x_store.check_writable(); }

 private:
  blob::Store& x_store;
  Stop& x_stop;
};

}  // namespace wharfage::registry
