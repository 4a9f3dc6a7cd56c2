// Layers kept between builds: one buildah store per key (a repository and who builds it, so that nobody finds
// what only somebody else may pull), used by one build at a time. A second build of the same key gets a store
// of its own that goes away with it. A store whose build did not end cleanly is thrown away, also after a
// crash: a marker file beside it says that it is in use. The least recently used stores go when all of them
// together pass the limit. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace wharfage::build {

class Stores {
 public:
  Stores(std::string folder, std::int64_t bytes_max);
  ~Stores();

  // Throws away what was in use when the last server died.
  void recover();

  class Lease {
   public:
    ~Lease();  // throws the store away unless keep() was called
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    const std::string& folder() const { return x_folder; }
    void keep() { x_keep = true; }

   private:
    friend class Stores;
    Lease(Stores& stores, std::string folder, bool lasting)
        : x_stores(stores), x_folder(std::move(folder)), x_lasting(lasting) {}
    Stores& x_stores;
    std::string x_folder;
    bool x_lasting, x_keep = false;
  };
  // `key` is a file name. Error: unsupported.
  Result<std::unique_ptr<Lease>> lease(const std::string& key);

 private:
  struct State;
  void give_back(const std::string& folder, bool keep);
  void make_room();
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::build
