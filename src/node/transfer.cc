#include "node/transfer.h"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

#include "base/limits.h"
#include "node/exit.h"
#include "node/state.h"
#include "sync/copier.h"
#include "sync/layout.h"

namespace wharfage::node {
namespace {

constexpr std::size_t tags_max = 100'000;  // of one repository

// Of a file; nothing of none.
Result<std::string> contents(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Reason::not_found, "cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct ImageName {
  std::string repository, tag, digest;

  // "repo", "repo:tag", "repo@sha256:…". A colon before a slash would be a port, which has no place here.
  static Result<ImageName> parse(const std::string& text) {
    ImageName name{.repository = text};
    if (auto at = text.find('@'); at != text.npos) {
      name.repository = text.substr(0, at);
      name.digest = text.substr(at + 1);
      TRY_STATUS(Digest::parse(name.digest));
    } else if (auto colon = text.rfind(':'); colon != text.npos) {
      name.repository = text.substr(0, colon);
      name.tag = text.substr(colon + 1);
      TRY_STATUS(registry::check_tag(name.tag));
    }
    TRY_STATUS(registry::Name::parse(name.repository));
    return name;
  }
};

// As images are called: a tag stands behind a colon, a digest behind an at sign.
std::string called(const std::string& repository, const std::string& reference) {
  bool digest = reference.find(':') != reference.npos;
  return repository + (digest ? "@" : ":") + reference;
}

// Shows what moves; nobody stops it.
class Teller final : public sync::Watcher {
 public:
  explicit Teller(bool quiet) : x_quiet(quiet) {}
  Status planned(const std::string&, const std::vector<sync::Piece>&, std::int64_t) override { return {}; }
  Status moving(const std::string&, std::int64_t) override { return {}; }
  Status arrived(const std::string&, std::int64_t, std::int64_t sent, bool) override {
    bytes += sent;
    return {};
  }
  void say(const std::string& line) override {
    if (!x_quiet) fmt::print("  {}\n", line);
  }
  Status alive() override { return {}; }
  std::int64_t bytes = 0;

 private:
  bool x_quiet;
};

// The registry at one end: its repositories as places.
class Registrar {
 public:
  virtual ~Registrar() = default;
  virtual Result<std::unique_ptr<sync::Place>> place(const std::string& repository, bool create) = 0;
  virtual Result<std::vector<std::string>> tags(const std::string& repository) = 0;
};

class RunningServer final : public Registrar {
 public:
  static Result<std::unique_ptr<Registrar>> open(const Transfer& transfer) {
    if (!transfer.user.empty() && transfer.password.empty())
      return fail(Reason::missing_parameter,
                  "WHARFAGE_PASSWORD is not set: the password of " + transfer.user);
    remote::Endpoint endpoint{.url = transfer.server,
                              .username = transfer.user,
                              .password = transfer.password,
                              .verify_tls = !transfer.insecure,
                              .ca_pem = {}};
    TRY(endpoint.ca_pem, contents(transfer.ca_file));
    TRY(endpoint.client_certificate_pem, contents(transfer.certificate_file));
    TRY(endpoint.client_key_pem, contents(transfer.key_file));
    return std::unique_ptr<Registrar>(new RunningServer(std::move(endpoint)));
  }
  Result<std::unique_ptr<sync::Place>> place(const std::string& repository, bool) override {
    auto nowhere = [](const Digest&) -> Result<std::string> { return std::string(); };
    return sync::place_elsewhere(std::make_unique<remote::RegistryClient>(x_http, x_endpoint), repository,
                                 nowhere);
  }
  Result<std::vector<std::string>> tags(const std::string& repository) override {
    return remote::RegistryClient(x_http, x_endpoint).tags(repository, tags_max);
  }

 private:
  explicit RunningServer(remote::Endpoint endpoint) : x_endpoint(std::move(endpoint)) {}
  // The operator names the server, so it may be anywhere.
  http::Client x_http{{.allow_private = true, .allowed = {}}, "wharfage/" + std::string(version)};
  remote::Endpoint x_endpoint;
};

class StoppedServer final : public Registrar {
 public:
  static Result<std::unique_ptr<Registrar>> open(const Config& config) {
    auto base = lay_foundations(config);
    if (!base.ok() && base.error().reason == Reason::conflict) {
      return fail(Reason::conflict,
                  "a server runs on " + config.data + ": name it with --server http://HOST:PORT");
    }
    if (!base.ok()) return base.error();
    auto server = std::unique_ptr<StoppedServer>(new StoppedServer(std::move(base).value()));
    TRY_STATUS(server->x_registry.ensure_instance({}));
    return std::unique_ptr<Registrar>(std::move(server));
  }
  Result<std::unique_ptr<sync::Place>> place(const std::string& repository, bool create) override {
    TRY(auto name, registry::Name::parse(repository));
    if (create && !x_registry.get_namespace(name.namespace_name).ok())
      TRY_STATUS(x_registry.create_namespace({.name = name.namespace_name}));
    auto found = create ? x_registry.ensure_repository(name) : x_registry.find_repository(name);
    if (!found.ok()) return found.error();
    return sync::place_here(x_registry, *found);
  }
  Result<std::vector<std::string>> tags(const std::string& repository) override {
    TRY(auto name, registry::Name::parse(repository));
    TRY(auto found, x_registry.find_repository(name));
    std::vector<std::string> all;
    for (std::string last;;) {
      TRY(auto page, x_registry.tags_after(found, last, limits::list_page_max));
      if (page.empty() || all.size() > tags_max) return all;
      all.insert(all.end(), page.begin(), page.end());
      last = page.back();
    }
  }

 private:
  explicit StoppedServer(Foundations base) : x_base(std::move(base)) {}
  Foundations x_base;
  SystemClock x_clock;
  Log x_log{LogLevel::error};
  meta::Ids x_ids{*x_base.db};
  job::Events x_events{*x_base.db, x_clock, x_log};
  registry::Registry x_registry{*x_base.db, x_ids, *x_base.blobs, x_events, x_clock, x_log};
};

Result<std::unique_ptr<Registrar>> open_registrar(const Config& config, const Transfer& transfer) {
  return transfer.server.empty() ? StoppedServer::open(config) : RunningServer::open(transfer);
}

// Nothing is wrong with the way, only with this image: others may well be sound.
bool is_of_the_image(const Error& error) {
  switch (error.reason) {
    case Reason::size_invalid:
    case Reason::digest_invalid:
    case Reason::blob_unknown:
    case Reason::manifest_unknown:
    case Reason::manifest_invalid:
    case Reason::too_large:
    case Reason::unsupported:
      return true;
    default:
      return false;
  }
}

struct Exported {
  int images = 0, left_out = 0;
};

Status export_one(Registrar& registrar, sync::LayoutWriter& layout, const std::string& text, Teller& teller,
                  Exported& exported) {
  TRY(auto name, ImageName::parse(text));
  TRY(auto source, registrar.place(name.repository, false));
  std::vector<std::string> references;
  if (!name.digest.empty()) references = {name.digest};
  if (!name.tag.empty()) references = {name.tag};
  if (references.empty()) {
    TRY(auto tags, registrar.tags(name.repository));
    // Signatures travel with what they sign.
    for (auto& tag : tags) {
      if (!registry::is_accessory_tag(tag)) references.push_back(std::move(tag));
    }
  }
  layout.enter(name.repository);
  for (const auto& reference : references) {
    std::string image = called(name.repository, reference);
    layout.begin_image();
    auto copied = sync::Copier(*source, layout, teller).copy(reference, reference, true);
    if (!copied.ok() && is_of_the_image(copied.error())) {
      TRY_STATUS(layout.take_back());
      ++exported.left_out;
      std::cerr << fmt::format("wharfage: {} is left out: {}\n", image, text_of(copied.error()));
      continue;
    }
    TRY(auto outcome, std::move(copied));
    if (reference == outcome.digest) TRY_STATUS(layout.name(reference));
    ++exported.images;
    fmt::print("{}: {}, {} accessories\n", image, outcome.digest, outcome.accessories);
  }
  return {};
}

Status run_export(const Config& config, const Transfer& transfer) {
  TRY(auto registrar, open_registrar(config, transfer));
  TRY(auto layout, sync::LayoutWriter::create(transfer.path));
  Teller teller(transfer.quiet);
  Exported exported;
  for (const auto& image : transfer.images) {
    Status done = export_one(*registrar, *layout, image, teller, exported);
    if (!done.ok())
      return fail(done.error().reason, image + ": " + done.error().message, done.error().detail);
  }
  // Of nothing but broken images there is no layout; an empty repository is one.
  if (exported.images > 0 || exported.left_out == 0) {
    TRY_STATUS(layout->finish());
    fmt::print("{} bytes\n", teller.bytes);
  }
  if (exported.left_out == 0) return {};
  return fail(Reason::manifest_invalid, fmt::format("{} of {} images could not be exported",
                                                    exported.left_out, exported.images + exported.left_out));
}

// What is an image of its own: neither somebody's accessory nor named twice.
std::vector<sync::LayoutEntry> images_of(const sync::LayoutReader& layout) {
  std::vector<sync::LayoutEntry> images;
  for (const auto& entry : layout.entries()) {
    bool accessory = !entry.subject.empty() || registry::is_accessory_tag(entry.tag);
    if (!accessory) images.push_back(entry);
  }
  return images;
}

// Where an image of the layout goes.
struct Arrival {
  sync::LayoutEntry entry;
  std::string repository, to;  // a tag, or the digest
  std::string name() const { return called(repository, to); }
};

// Looks at all of them before anything is sent: two images may not take one tag from each other.
Result<std::vector<Arrival>> arrivals_of(const std::vector<sync::LayoutEntry>& images,
                                         const ImageName& target) {
  std::vector<Arrival> arrivals;
  std::map<std::string, std::string> taken;  // name, digest
  for (const auto& entry : images) {
    Arrival one{entry, target.repository.empty() ? entry.repository : target.repository,
                !target.tag.empty() ? target.tag
                : entry.tag.empty() ? entry.digest
                                    : entry.tag};
    if (one.repository.empty())
      return fail(Reason::missing_parameter, "the layout names no repository: give one");
    TRY_STATUS(registry::Name::parse(one.repository));
    if (one.to != entry.digest) TRY_STATUS(registry::check_tag(one.to));
    auto [holder, added] = taken.emplace(one.name(), entry.digest);
    if (!added && holder->second != entry.digest) {
      return fail(Reason::invalid_parameter,
                  fmt::format("the layout holds two images for {}, {} and {}: nothing is imported",
                              one.name(), holder->second, entry.digest));
    }
    arrivals.push_back(std::move(one));
  }
  return arrivals;
}

Status run_import(const Config& config, const Transfer& transfer) {
  TRY(auto layout, sync::LayoutReader::open(transfer.path));
  ImageName target;
  if (!transfer.images.empty()) {
    TRY(target, ImageName::parse(transfer.images[0]));
    if (!target.digest.empty())
      return fail(Reason::invalid_parameter, "an image is imported as REPO or REPO:TAG");
  }
  auto images = images_of(*layout);
  if (images.empty()) return fail(Reason::manifest_unknown, "the layout holds no image");
  if (!target.tag.empty() && images.size() != 1) {
    return fail(Reason::invalid_parameter,
                fmt::format("the layout holds {} images: name a repository only", images.size()));
  }
  TRY(auto arrivals, arrivals_of(images, target));
  TRY(auto registrar, open_registrar(config, transfer));
  Teller teller(transfer.quiet);
  for (const auto& one : arrivals) {
    TRY(auto place, registrar->place(one.repository, true));
    layout->enter(one.entry.repository);
    sync::Copier copier(*layout, *place, teller);
    TRY(auto outcome, copier.copy(one.entry.digest, one.to, true));
    fmt::print("{}: {}, {} accessories\n", one.name(), outcome.digest, outcome.accessories);
  }
  fmt::print("{} bytes\n", teller.bytes);
  return {};
}

}  // namespace

int export_images(const Config& config, const Transfer& transfer) {
  Status done = run_export(config, transfer);
  return done.ok() ? exit_ok : complain(done.error());
}

int import_images(const Config& config, const Transfer& transfer) {
  Status done = run_import(config, transfer);
  return done.ok() ? exit_ok : complain(done.error());
}

}  // namespace wharfage::node
