// `wharfage export` and `wharfage import`: images with their signatures and referrers as an OCI image layout,
// a folder or one tar file. Talks to a running registry like any client of the distribution protocol, so that
// what comes in is scanned, signed and announced; or works on the data folder of a stopped one.
#pragma once

#include <string>
#include <vector>

#include "node/config.h"

namespace wharfage::node {

struct Transfer {
  std::string server;  // "http://host:port"; "": the data folder
  std::string user, password;
  std::string ca_file;
  std::string certificate_file, key_file;  // shown to a server that asks for one
  bool insecure = false;                   // any certificate
  std::string path;                        // the layout
  std::vector<std::string> images;         // export: REPO[:TAG|@DIGEST]; import: at most one REPO[:TAG]
  bool quiet = false;
};

int export_images(const Config& config, const Transfer& transfer);
int import_images(const Config& config, const Transfer& transfer);

}  // namespace wharfage::node
