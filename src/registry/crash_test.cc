// Invariant 1 and 4: a process that pushes, deletes and collects is killed at any instruction, again and
// again on the same data. Every push it acknowledged is complete, byte for byte.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <thread>

#include "base/random.h"
#include "registry/inspection.h"
#include "registry/registry_fixture.h"
#include "registry/stop_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

constexpr int rounds = 8;
constexpr int pushers = 3;

// Few different blobs, so that what one push drops another one needs.
std::string blob_bytes(int image, int part) {
  int number = (image * 7 + part * 3) % 5;
  return "blob " + std::to_string(number) + std::string(static_cast<std::size_t>(number) * 20'000, 'b');
}

std::string manifest_bytes(int image) {
  auto part = [&](int number) {
    std::string bytes = blob_bytes(image, number);
    return descriptor(Digest::of(bytes), bytes.size(), oci_layer);
  };
  return image_json(part(0), {part(1), part(2)}, fmt::format(R"(,"annotations":{{"image":"{}"}})", image));
}

struct Line {
  char what;  // '+' acknowledged, '-' about to be deleted
  int image;
};

struct Node {
  explicit Node(const TestFolder& folder)
      : db(*meta::open_sqlite(folder.path("db"))), store(*blob::Store::open(folder.path("data"))) {
    auto migrations = with_registry_schemas();
    REQUIRE(meta::migrate(*db, migrations).ok());
    REQUIRE(registry.ensure_instance({}).ok());
    app = *registry.ensure_repository({"library", "app"});
  }

  Status push(int image) {
    for (int part = 0; part < 3; ++part) {
      std::string bytes = blob_bytes(image, part);
      TRY(std::string id, registry.begin_upload(app, who));
      TRY(auto writer, registry.open_upload(app, id, who, DigestAlgorithm::sha256));
      TRY_STATUS(writer->append(bytes));
      TRY_STATUS(registry.finish_upload(app, id, *writer, Digest::of(bytes)));
    }
    ManifestPush push{.bytes = manifest_bytes(image), .media_type = oci_manifest, .event_origin = "push"};
    push.tags = {"t" + std::to_string(image)};
    TRY_STATUS(registry.put_manifest(app, push, who));
    return {};
  }

  SystemClock clock;
  Log log{std::make_shared<auth::Silence>(), LogLevel::error};
  std::unique_ptr<meta::Db> db;
  std::unique_ptr<blob::Store> store;
  meta::Ids ids{*db};
  job::Events events{*db, clock, log};
  Registry registry{*db, ids, *store, events, clock, log};
  auth::Principal who = auth::Principal::system();
  Repository app;
};

// Never returns on its own.
[[noreturn]] void work(const TestFolder& folder, int round, int out) {
  Node node(folder);
  auto tell = [&](char what, int image) {
    Line line{what, image};
    if (write(out, &line, sizeof line) != sizeof line) _exit(1);
  };
  auto pusher = [&](int number) {
    for (int step = 0;; ++step) {
      int image = (round * pushers + number) * 100'000 + step;
      // Refused when another thread's collection took a blob that had no manifest yet.
      if (!node.push(image).ok()) continue;
      tell('+', image);
      if (step % 3 != 2) continue;
      tell('-', image - 1);
      (void)node.registry.delete_manifest(node.app, Digest::of(manifest_bytes(image - 1)));
    }
  };
  std::vector<std::thread> running;
  for (int number = 0; number < pushers; ++number) running.emplace_back(pusher, number);
  for (;;) {
    if (!node.registry.collect(0).ok()) _exit(2);
  }
}

// What the child told until it died. It is given time for `patience` lines, then killed.
std::vector<Line> run_and_kill(const TestFolder& folder, int round, std::size_t patience) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    close(ends[0]);
    work(folder, round, ends[1]);
  }
  close(ends[1]);
  std::vector<Line> told;
  Line line;
  while (read(ends[0], &line, sizeof line) == sizeof line) {
    told.push_back(line);
    if (told.size() < patience) continue;
    usleep(static_cast<unsigned char>(random_bytes(1)[0]) * 50);
    kill(child, SIGKILL);
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  return told;
}

void verify(Node& node, int image) {
  CAPTURE(image);
  const std::string expected = manifest_bytes(image);
  auto tagged = node.registry.get_manifest(node.app, "t" + std::to_string(image));
  REQUIRE(tagged.ok());
  CHECK(tagged->bytes == expected);
  for (int part = 0; part < 3; ++part) {
    const std::string bytes = blob_bytes(image, part);
    auto blob = node.registry.open_blob(node.app, Digest::of(bytes));
    REQUIRE(blob.ok());
    CHECK(blob->read(0, bytes.size() + 1).value() == bytes);
  }
}

}  // namespace

TEST_CASE("killed at any instruction, no acknowledged push is lost") {
  TestFolder folder;
  std::map<int, bool> expected;  // by image; false: it may be there or not
  for (int round = 0; round < rounds; ++round) {
    auto told = run_and_kill(folder, round, 5 + static_cast<std::size_t>(round) * 4);
    CHECK(told.size() >= 5);
    for (const Line& line : told) expected[line.image] = line.what == '+';

    Node node(folder);
    for (const auto& [image, there] : expected) {
      if (there) verify(node, image);
    }
    // Whatever a manifest refers to is in place, also of pushes nobody heard of.
    auto rows = node.db->read([](meta::Tx& tx) {
      return tx.query(
          "SELECT DISTINCT r.digest, b.size, b.state FROM manifest_blobs r JOIN blobs b USING (digest)");
    });
    for (const auto& row : *rows) {
      auto size = node.store->find_size(*Digest::parse(row.text(0)));
      CHECK(size->value_or(-1) == row.integer(1));
      CHECK(row.integer(2) == 0);
    }
    REQUIRE(node.registry.collect(0).ok());
    for (const auto& [image, there] : expected) {
      if (there) verify(node, image);
    }
  }
}

namespace {

// Pushes one image of two blobs, by an upload and as our own writers do.
Status push_in_steps(Registry& registry, const Repository& app, const auth::Principal& who) {
  TRY(std::string id, registry.begin_upload(app, who));
  TRY(auto writer, registry.open_upload(app, id, who, DigestAlgorithm::sha256));
  TRY_STATUS(writer->append("layer"));
  TRY_STATUS(registry.finish_upload(app, id, *writer, Digest::of("layer")));
  TRY_STATUS(registry.put_blob(app, "config"));
  ManifestPush push{.bytes = image_json(descriptor(Digest::of("config"), 6, oci_config),
                                        {descriptor(Digest::of("layer"), 5, oci_layer)}),
                    .media_type = oci_manifest,
                    .tags = {"1"},
                    .event_origin = "push"};
  TRY_STATUS(registry.put_manifest(app, push, who));
  TRY_STATUS(registry.delete_manifest(app, Digest::of(push.bytes)));
  for (int i = 0; i < 2; ++i) TRY_STATUS(registry.collect(0));
  return {};
}

// False: it lived to the end.
bool dies_at(const TestFolder& folder, int at) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Node node(folder);
    Stop stop{at, 0, [] { kill(getpid(), SIGKILL); }};
    StoppedDb db(*node.db, stop);
    StoppedStore store(*node.store, stop);
    Registry registry(db, node.ids, store, node.events, node.clock, node.log);
    _exit(push_in_steps(registry, node.app, node.who).ok() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) return true;
  CHECK(WEXITSTATUS(status) == 0);
  return false;
}

std::size_t files_in(const TestFolder& folder) {
  std::size_t count = 0;
  for (const char* area : {"blobs", "uploads", "quarantine"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder.path("data/" + std::string(area))))
      count += entry.is_regular_file() ? 1 : 0;
  }
  return count;
}

struct Quiet final : Follower {
  Status alive() override { return {}; }
  void found(Finding finding) override { faults += finding.fault + " " + finding.subject + "\n"; }
  void counted(std::string_view, std::int64_t) override {}
  Status reached(const Digest&) override { return {}; }
  std::string faults;
};

}  // namespace

TEST_CASE("killed at any step of a push or a collection, what stays is found and reclaimed") {
  int at = 1, strays = 0;
  for (bool died = true; died; ++at) {
    CAPTURE(at);
    TestFolder folder;
    died = dies_at(folder, at);
    Node node(folder);
    FrozenClock later(SystemClock().now() + 2 * day_ms);
    Registry registry(*node.db, node.ids, *node.store, node.events, later, node.log);
    if (auto image = registry.get_manifest(node.app, "1"); image.ok())
      REQUIRE(registry.delete_manifest(node.app, *image->digest).ok());
    for (int i = 0; i < 3; ++i) {
      auto collected = registry.collect(0);
      REQUIRE(collected.ok());
      strays += static_cast<int>(collected->strays);
    }
    CHECK(files_in(folder) == 0);
    Quiet follow;
    REQUIRE(registry.check(false, 0, follow).ok());
    CHECK(follow.faults == "");
    CHECK(registry.usage()->blobs == 0);
  }
  CHECK(at > 15);
  CHECK(strays >= 2);  // both ways of writing a blob were stopped between the file and its row
}
