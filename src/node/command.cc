#include "node/command.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "node/advisories.h"
#include "node/backup.h"
#include "node/config.h"
#include "node/exit.h"
#include "node/maintenance.h"
#include "node/node.h"
#include "node/transfer.h"

extern char** environ;

namespace wharfage::node {
namespace {

Environment environment() {
  Environment variables;
  for (char** variable = environ; *variable; ++variable) {
    std::string_view text = *variable;
    auto equals = text.find('=');
    if (equals != text.npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

struct Arguments {
  std::string config, data, listen, folder;
  std::vector<std::string> paths;
  bool repair = false, fast = false;
  Transfer transfer;
};

Result<Config> effective(const Arguments& arguments) {
  TRY(Config config, load_config(arguments.config, environment()));
  if (!arguments.data.empty()) config.data = arguments.data;
  if (!arguments.listen.empty()) config.listen = arguments.listen;
  return config;
}

void greet(const Node& node, const Config& config) {
  const Welcome& welcome = node.welcome();
  std::string host = config.listen.substr(0, config.listen.rfind(':'));
  fmt::print("Wharfage {} is listening on {}://{}:{}\n", version, config.tls_key.empty() ? "http" : "https",
             host, node.port());
  if (!welcome.password.empty()) {
    fmt::print("First start: user admin, password {}\n(also in {}, readable by you alone)\n",
               welcome.password, welcome.password_file);
  }
  std::fflush(stdout);
}

// Every connection is an open file, and the customary limit of 1024 is there for programs that use select().
void allow_open_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

int serve(const Arguments& arguments) {
  allow_open_files();
  // Signals are taken by this thread alone; every thread made later inherits the mask.
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto config = effective(arguments);
  if (!config.ok()) return complain(config.error()), exit_usage;
  Log log = Log(config->log_level);
  auto node = Node::start(*config, environment(), log);
  if (!node.ok()) return complain(node.error());
  greet(**node, *config);
  for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
    sigwait(&signals, &signal);
    if (signal == SIGHUP) (*node)->reload();
  }
  log.info("stopping");
  (*node)->stop();
  log.info("stopped");
  return exit_ok;
}

int show(const Arguments& arguments) {
  auto config = effective(arguments);
  if (!config.ok()) return complain(config.error()), exit_usage;
  std::cout << show_config(*config);
  return exit_ok;
}

void name_blobs(const BlobList& blobs, std::string_view what) {
  if (blobs.count == 0) return;
  std::cerr << fmt::format("wharfage: {}: {}\n", what, blobs.count);
  for (const auto& digest : blobs.digests) std::cerr << "  " << digest << "\n";
  std::size_t named = blobs.digests.size();
  if (auto rest = blobs.count - static_cast<std::int64_t>(named); rest > 0)
    std::cerr << fmt::format("  and {} more\n", rest);
}

int report(const Result<BackupReport>& done, std::string_view what, std::string_view advice) {
  if (!done.ok()) return complain(done.error());
  fmt::print("{}: {} blobs, {} bytes\n", what, done->blobs, done->bytes);
  name_blobs(done->lost, "warning: blobs that were lost before, push them again");
  name_blobs(done->missing, "blobs that the database calls for are missing");
  name_blobs(done->damaged, "blobs that the database calls for are damaged");
  if (done->whole()) return exit_ok;
  std::cerr << "wharfage: " << advice << "\n";
  return exit_faults;
}

int make_backup(const Arguments& arguments) {
  auto config = effective(arguments);
  if (!config.ok()) return complain(config.error()), exit_usage;
  return report(
      back_up(config->data, arguments.folder), "backed up " + config->data,
      "the backup holds everything else; `wharfage fsck` and `wharfage scrub` tell which images need them");
}

int make_restore(const Arguments& arguments) {
  auto config = effective(arguments);
  if (!config.ok()) return complain(config.error()), exit_usage;
  return report(
      restore(arguments.folder, config->data), "restored into " + config->data + " and checked",
      "everything else is restored; they count as lost: the next push of an image that needs them heals it, "
      "`wharfage fsck` tells which those are");
}

int with_advisories(const Arguments& arguments, int (*run)(const Config&, const std::vector<std::string>&)) {
  auto config = effective(arguments);
  if (!config.ok()) return complain(config.error()), exit_usage;
  return run(*config, arguments.paths);
}

void add_common(CLI::App& command, Arguments& arguments) {
  command.add_option("--config", arguments.config, "configuration file (YAML)")->check(CLI::ExistingFile);
  command.add_option("--data", arguments.data, "folder of database, blobs and keys");
}

// The password is no option: whoever lists processes would read it.
void add_server(CLI::App& command, Transfer& transfer) {
  command.add_option("--server", transfer.server,
                     "URL of a running registry; default: the stopped one of --data");
  command.add_option("--user", transfer.user, "who signs in; the password is read from WHARFAGE_PASSWORD");
  command.add_option("--ca", transfer.ca_file, "certificates to trust beside the system's")
      ->check(CLI::ExistingFile);
  auto* certificate = command
                          .add_option("--cert", transfer.certificate_file,
                                      "PEM certificate to show to a server that asks for one")
                          ->check(CLI::ExistingFile);
  auto* key = command.add_option("--key", transfer.key_file, "its PEM key")->check(CLI::ExistingFile);
  certificate->needs(key);
  key->needs(certificate);
  command.add_flag("--insecure", transfer.insecure, "accept any certificate");
  command.add_flag("--quiet", transfer.quiet, "do not tell of every blob");
}

}  // namespace

int run_command(int count, char** raw) {
  Arguments arguments;
  int code = exit_ok;
  CLI::App app{"A container registry that builds, scans, signs and synchronises images, and can prove it.",
               "wharfage"};
  app.set_version_flag("--version", "wharfage " + std::string(version));
  app.require_subcommand(1);

  auto* serving = app.add_subcommand("serve", "run the server");
  add_common(*serving, arguments);
  serving->add_option("--listen", arguments.listen, "HOST:PORT");
  serving->callback([&] { code = serve(arguments); });

  auto* config = app.add_subcommand("config", "show every setting with its value and meaning");
  add_common(*config, arguments);
  config->callback([&] { code = show(arguments); });

  auto* backup = app.add_subcommand("backup", "copy a (running) server's data into a folder");
  add_common(*backup, arguments);
  backup->add_option("folder", arguments.folder, "missing or empty folder")->required();
  backup->callback([&] { code = make_backup(arguments); });

  auto* restoring = app.add_subcommand("restore", "make a data folder from a backup and check every blob");
  add_common(*restoring, arguments);
  restoring->add_option("folder", arguments.folder, "the backup")->required()->check(CLI::ExistingDirectory);
  restoring->callback([&] { code = make_restore(arguments); });

  auto look_after_with = [&](const std::string& kind) {
    auto settings = effective(arguments);
    if (!settings.ok()) return complain(settings.error()), exit_usage;
    return look_after(*settings, kind, arguments.repair, arguments.fast ? -1 : 0);
  };
  auto* checking =
      app.add_subcommand("fsck", "hold database and blobs against each other, also of a running server");
  add_common(*checking, arguments);
  checking->add_flag("--repair", arguments.repair, "mend what can be mended");
  checking->callback([&] { code = look_after_with("check"); });

  auto* scrubbing = app.add_subcommand("scrub", "read every blob and put corrupt ones into quarantine");
  add_common(*scrubbing, arguments);
  scrubbing->add_flag("--fast", arguments.fast, "as fast as the disk (storage.scrub_mb_per_s otherwise)");
  scrubbing->callback([&] { code = look_after_with("scrub"); });

  auto move_images = [&](int (*move)(const Config&, const Transfer&)) {
    auto settings = effective(arguments);
    if (!settings.ok()) return complain(settings.error()), exit_usage;
    if (arguments.transfer.password.empty()) {
      auto variables = environment();
      auto given = variables.find("WHARFAGE_PASSWORD");
      if (given != variables.end()) arguments.transfer.password = given->second;
    }
    return move(*settings, arguments.transfer);
  };
  auto* exporting = app.add_subcommand("export", "write images with their signatures as an OCI image layout");
  add_common(*exporting, arguments);
  add_server(*exporting, arguments.transfer);
  exporting->add_option("images", arguments.transfer.images, "REPO (all its tags), REPO:TAG or REPO@DIGEST")
      ->required();
  exporting->add_option("--to", arguments.transfer.path, "a missing or empty folder, or FILE.tar")
      ->required();
  exporting->callback([&] { code = move_images(export_images); });

  auto* importing =
      app.add_subcommand("import", "push the images of an OCI image layout with their signatures");
  add_common(*importing, arguments);
  add_server(*importing, arguments.transfer);
  importing->add_option("layout", arguments.transfer.path, "a folder or a tar file")->required();
  importing->add_option("image", arguments.transfer.images, "REPO or REPO:TAG; default: as the layout says")
      ->expected(0, 1);
  importing->callback([&] { code = move_images(import_images); });

  auto* vulndb = app.add_subcommand("vulndb", "the advisory data that scans judge by");
  vulndb->require_subcommand(1);
  auto* import = vulndb->add_subcommand("import", "import OSV archives, folders or JSON files");
  add_common(*import, arguments);
  import->add_option("paths", arguments.paths)->required()->check(CLI::ExistingPath);
  import->callback([&] { code = with_advisories(arguments, import_advisories); });
  auto* update = vulndb->add_subcommand("update", "fetch and import from the mirror (scan.vulndb_mirror)");
  add_common(*update, arguments);
  update->callback([&] { code = with_advisories(arguments, update_advisories); });
  auto* status = vulndb->add_subcommand("status", "what is imported and how old it is");
  add_common(*status, arguments);
  status->callback([&] { code = with_advisories(arguments, show_advisories); });

  try {
    app.parse(count, raw);
  } catch (const CLI::ParseError& fault) {
    return app.exit(fault) == 0 ? exit_ok : exit_usage;
  }
  return code;
}

}  // namespace wharfage::node
